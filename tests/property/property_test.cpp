// The table, and properties against faulty subjects: each must be able to fail.

#include "property/property.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "broken_stages.hpp"
#include "property/strength.hpp"
#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

Scenario small(Entry entry, std::uint64_t seed) {
  Scenario s;
  s.problem.entry = entry;
  s.problem.hidden_size = 40;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 16;
  s.problem.qk_nope_head_dim = 8;
  s.problem.qk_rope_head_dim = 4;
  s.problem.v_head_dim = 8;
  s.problem.data.seed = seed;
  s.layout.kv_cache_tokens_per_block = 4;
  if (entry == Entry::merge) {
    s.layout.kvp = 4;
    if (seed % 3 == 1) s.layout.lse_form = LseForm::max_sum;
    return s;
  }
  s.problem.ctx_len = {13, 6};
  s.problem.decode_steps = 2;
  s.problem.predicted_tokens_per_seq = 2;
  if (entry == Entry::core && seed % 3 == 0) s.problem.data.family = Family::constant;
  if (entry == Entry::core && seed % 3 == 1) s.problem.data.family = Family::shard_constant;
  return s;
}

// Which properties fail for a fault within some scenarios.
std::vector<std::string> killers(const hxc_subject& override_table) {
  const Subject subject(cpu::subject(), &override_table);
  std::vector<std::string> names;
  for (const Property& property : properties()) {
    bool failed = false;
    for (const Entry entry : {Entry::core, Entry::layer, Entry::merge}) {
      for (std::uint64_t seed = 0; seed < 6 && !failed; ++seed) {
        const Scenario scenario = small(entry, seed);
        if (!property.applies(scenario, subject)) continue;
        failed = property.check(scenario, subject, {}).failure.has_value();
      }
    }
    if (failed) names.emplace_back(property.name);
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(Properties, EachHasAStrengthInTheOrderOfTheTable) {
  const Subject plain(cpu::subject()), rounded(cpu::subject_p16());
  const Subject plug_in(cpu::subject(), &faulty_subject(Fault::dropped_key));
  EXPECT_EQ(properties().front().name, "equivalence");
  EXPECT_EQ(properties().back().name, "heavy_mass");  // of the case: no subject runs in it
  ASSERT_EQ(strengths().size(), properties().size() - 2);
  for (std::size_t i = 0; i < strengths().size(); ++i) {
    const Strengths& row = strengths()[i];
    EXPECT_EQ(row.property, properties()[i + 1].name);
    EXPECT_EQ(strength_of(row.property, plain), row.cpu);
    EXPECT_EQ(strength_of(row.property, rounded), row.cpu_p16);
    const bool of_devices = row.property == "launch";  // this plug-in works on host memory
    EXPECT_EQ(strength_of(row.property, plug_in), of_devices ? Strength::none : row.plug_in);
    EXPECT_EQ(&find_property(row.property), &properties()[i + 1]);
  }
  EXPECT_THROW(find_property("no_such"), InputError);
  EXPECT_THROW(strength_of("no_such", plain), InputError);
}

// A stage that gives up is a failure of its own kind, named with its stage.
int gives_up(void*, hxc_step* const*, hxc_comm*, hxc_error* error) {
  std::snprintf(error->message, sizeof error->message, "no workspace left");
  return 5;
}

TEST(Properties, SubjectErrorsAreFailures) {
  const hxc_entry entry{HXC_COMBINE, HXC_COMBINE, gives_up};
  const hxc_subject table{HXC_ABI_VERSION, HXC_HOST, "odd",   "cpu",  1,
                          &entry,          nullptr,  nullptr, nullptr};
  const Subject subject(cpu::subject(), &table);
  for (const Property& property : properties()) {
    for (const Entry kind : {Entry::core, Entry::layer, Entry::merge}) {
      const Scenario scenario = small(kind, 1);
      if (!property.applies(scenario, subject)) continue;
      const PropertyResult result = property.check(scenario, subject, {});
      ASSERT_TRUE(result.failure) << property.name;
      EXPECT_EQ(result.failure->kind, "error") << property.name;
      EXPECT_EQ(result.failure->blame.stage, Stage::combine) << property.name;
    }
  }
}

// Results count what was run, and say how close the values came.
TEST(Properties, ResultsSayWhatWasDone) {
  const Subject plain(cpu::subject());
  const PropertyResult result = find_property("ranks").check(small(Entry::core, 2), plain, {});
  EXPECT_FALSE(result.failure);
  EXPECT_EQ(result.subject_runs, 3);  // kvp 2, 1 and 4
  ASSERT_EQ(result.taps.size(), 2u);
  EXPECT_GT(result.taps[0].values, 0);
  EXPECT_LE(result.taps[0].worst_ratio, 1);
  EXPECT_NE(result.output_hash, 0u);
}

// Each entry for itself: what one entry sees must not hide that another compares nothing.
TEST(Properties, EveryEntryIsCompared) {
  const Subject plain(cpu::subject());
  for (const Property& property : properties()) {
    for (const Entry entry : {Entry::core, Entry::layer, Entry::merge}) {
      const Scenario scenario = small(entry, 2);
      if (!property.applies(scenario, plain)) continue;
      std::int64_t values = 0;
      for (const TapResult& tap : property.check(scenario, plain, {}).taps) values += tap.values;
      EXPECT_GT(values, 0) << property.name;
    }
  }
  const Subject faulty(cpu::subject(), &faulty_subject(Fault::log2_merge));
  EXPECT_TRUE(find_property("lse_form").check(small(Entry::merge, 2), faulty, {}).failure);
}

TEST(Properties, LargeCachesAreNotKept) {
  const Subject plain(cpu::subject());
  Scenario s = small(Entry::core, 2);
  EXPECT_TRUE(find_property("ranks").applies(s, plain));
  s.problem.ctx_len = {1 << 22, 1 << 22};
  s.problem.decode_steps = 8;
  EXPECT_FALSE(find_property("ranks").applies(s, plain));
  EXPECT_FALSE(find_property("convexity").applies(s, plain));
  EXPECT_TRUE(find_property("page_order").applies(s, plain));
}

// Every property fails for at least one of these, and for those named here.
struct Expected {
  const hxc_subject& subject;
  std::vector<std::string> properties;
};

std::vector<Expected> expectations() {
  return {
      {faulty_subject(Fault::flipped_cache_bit),
       {"equivalence", "tpa", "request_order", "split_steps", "append_is_prompt", "constant_value",
        "shard_value"}},
      {faulty_subject(Fault::dropped_key), {"equivalence", "ranks", "ownership"}},
      {faulty_subject(Fault::log2_merge),
       {"equivalence", "ranks", "ownership", "lse_form", "shard_value", "merge_association",
        "merge_shift"}},
      {faulty_subject(Fault::lost_statistics),
       {"equivalence", "ranks", "ownership", "page_size", "lse_form", "convexity", "constant_value",
        "shard_value"}},
      {broken_subject(Broken::no_base), {"rope_differences"}},
      {broken_subject(Broken::reads_beyond), {"equivalence", "page_size", "poison"}},
      {broken_subject(Broken::sorted_pages), {"equivalence", "page_order"}},
      {broken_subject(Broken::loses_beside_padding), {"padding_rows"}},
      {broken_subject(Broken::first_of_calls), {"equivalence", "repetition", "observation"}},
      {broken_subject(Broken::counts_calls), {"equivalence", "instance_life"}},
      {broken_subject(Broken::last_part_lost),
       {"equivalence", "ranks", "merge_permutation", "merge_association", "merge_empty"}},
      {broken_subject(Broken::zero_times_nan), {"equivalence", "merge_empty"}},
      {broken_subject(Broken::undivided), {"equivalence", "convexity", "constant_value"}},
      {broken_subject(Broken::lse_without_max), {"equivalence", "merge_shift"}},
      {broken_subject(Broken::sum_ignored), {"equivalence", "merge_gauge"}},
  };
}

TEST(Properties, SeeFaults) {
  std::vector<std::string> seen;
  for (const Expected& expected : expectations()) {
    const std::vector<std::string> names = killers(expected.subject);
    for (const std::string& name : expected.properties) {
      EXPECT_TRUE(has(names, name)) << expected.subject.name << " is not seen by " << name << "\n"
                                    << fmt::format("{}", fmt::join(names, " "));
    }
    seen.insert(seen.end(), names.begin(), names.end());
  }
  for (const Property& property : properties().first(properties().size() - 1)) {
    if (property.name == "launch") continue;  // needs a device: tests/kernels/launch_test.cpp
    EXPECT_TRUE(has(seen, std::string(property.name))) << property.name << " saw no fault";
  }
}

}  // namespace
}  // namespace helixcheck
