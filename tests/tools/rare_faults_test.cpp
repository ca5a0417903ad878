// Planted faults: right where they have no reason to be wrong, wrong where they have.

#include "rare_faults.hpp"

#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>

#include "campaign/case_source.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"
#include "search_trials.hpp"
#include "subject/canary.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

// As options of `helixcheck run`.
Scenario scenario_of(const std::string& arguments) {
  Scenario scenario;
  std::istringstream in(arguments);
  for (std::string option, value; in >> option >> value;) {
    apply_argument(scenario, option.substr(2), value);
  }
  return scenario;
}

PropertyResult equivalence(const hxc_subject& table, const Scenario& scenario) {
  const Subject subject(cpu::subject(), &table);
  RunOptions options;
  options.repeat_failures = false;
  return find_property("equivalence").check(scenario, subject, options);
}

// Whether one of so many cases of a series fails. Those that hide everything are dear and left out.
bool fails_within(const hxc_subject& table, std::uint64_t cases) {
  static const ScenarioSeries series(3);
  for (std::uint64_t i = 0; i < cases; ++i) {
    const Scenario scenario = series.draw(1000 + 64 * i).scenario;  // each of another block
    if (scenario.run.observe == Observe::end) continue;
    if (equivalence(table, scenario).failure) return true;
  }
  return false;
}

// The smallest scenario of each, found by search and shrinking, and one beside it.
struct Known {
  const char* fault;
  const char* failing;
  const char* change;  // makes it pass
};

constexpr Known kKnown[] = {
    {"split_tail",
     "--entry core --num-heads 1 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --ctx-len 256 --kvp 1 --kv-cache-tokens-per-block 1",
     "--ctx-len 255"},
    {"straddling_drafts",
     "--entry core --num-heads 4 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --ctx-len 2 --predicted-tokens-per-seq 5 --kvp 4 --ownership interleaved"
     " --decode-owner restarted --interleave 3 --kv-cache-tokens-per-block 4",
     "--predicted-tokens-per-seq 4"},
    {"first_token_unwritten",
     "--entry core --num-heads 3 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --ctx-len 0,6 --predicted-tokens-per-seq 2 --kvp 3 --ownership contiguous_blocks"
     " --decode-owner restarted --kv-cache-tokens-per-block 2",
     "--ctx-len 0,5"},
    {"neighbour_of_empty",
     "--entry core --num-heads 6 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --ctx-len 0,1,0 --kvp 3 --kv-cache-tokens-per-block 1 --lse-form max_sum --step join"
     " --step decode:0,2,1:0,1,1",
     "--lse-form ln"},
    {"square_statistics",
     "--entry core --num-heads 24 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --batch 3 --ctx-len 0 --kvp 3 --tpa 2 --kv-cache-tokens-per-block 1 --step join"
     " --step decode::1,1,2",
     "--tpa 1"},
    {"stale_after_reject",
     "--entry core --num-heads 4 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --batch 2 --ctx-len 0 --kvp 4 --kv-cache-tokens-per-block 2 --step join"
     " --step decode:0:4 --step decode:1",
     "--kv-cache-tokens-per-block 1"},
    {"run_beside_page",
     "--entry core --num-heads 5 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --ctx-len 29 --kvp 5 --ownership interleaved --interleave 3 --kv-cache-tokens-per-block 2",
     "--interleave 4"},
    {"scattered_pages",
     "--entry core --num-heads 2 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --kv-cache-dtype fp8_e4m3 --ctx-len 48 --kvp 1 --tpa 2 --page-order descending"
     " --kv-cache-tokens-per-block 16",
     "--page-order ascending"},
    {"table_end",
     "--hidden-size 1 --num-heads 5 --kv-lora-rank 1 --qk-nope-head-dim 1 --qk-rope-head-dim 2"
     " --v-head-dim 1 --rope-interleave false --ctx-len 0 --position-base 1048576 --kvp 5"
     " --kv-cache-tokens-per-block 1",
     "--position-base 1048575"},
};

TEST(RareFaults, HaveNamesAndTablesOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<const hxc_subject*> tables;
  for (const RareFault& fault : rare_faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    EXPECT_TRUE(tables.insert(fault.subject).second) << fault.name;
    EXPECT_EQ(Subject(cpu::subject(), fault.subject).name(), "cpu+" + std::string(fault.name));
    EXPECT_EQ(&find_rare_fault(fault.name), &fault);
  }
  EXPECT_GE(names.size(), 14u);
  EXPECT_THROW(find_rare_fault("none"), InputError);
}

TEST(RareFaults, StrikeUnderTheirConditionsOnly) {
  std::set<std::string_view> seen;
  for (const Known& known : kKnown) {
    const RareFault& fault = find_rare_fault(known.fault);
    seen.insert(fault.name);
    const Scenario failing = scenario_of(known.failing);
    EXPECT_TRUE(equivalence(*fault.subject, failing).failure) << known.fault;
    const Scenario beside = scenario_of(std::string(known.failing) + " " + known.change);
    EXPECT_FALSE(equivalence(*fault.subject, beside).failure) << known.fault;

    take_met_conditions();
    const auto index = static_cast<std::size_t>(&fault - rare_faults().data());
    EXPECT_FALSE(equivalence(fault_watcher(), failing).failure) << "to watch harms nothing";
    EXPECT_TRUE(take_met_conditions().at(index)) << known.fault;
    equivalence(fault_watcher(), beside);
    EXPECT_FALSE(take_met_conditions().at(index)) << known.fault;
  }
  for (const RareFault& fault : rare_faults()) {
    EXPECT_TRUE(fault.numeric || seen.count(fault.name) == 1) << fault.name;
  }
}

// With nothing lost, what computes in fp64 is right; with much lost it is not.
TEST(RareFaults, LoseByTheirThreshold) {
  struct Extremes {
    const char* fault;
    double nothing, much;
  };
  const Extremes all[] = {
      {"scale_digit", 0, 1e-3},    {"short_factor", 0, 1e-3},    {"short_sum", 52, 8},
      {"short_statistics", 52, 8}, {"score_ceiling", 1e9, 0.01}, {"dropped_partials", 0, 0.1},
      {"short_gap", 52, 4},        {"short_angle", 52, 4},
  };
  for (const Extremes& one : all) {
    const RareFault& fault = find_rare_fault(one.fault);
    ASSERT_TRUE(fault.numeric);
    set_threshold(one.fault, one.nothing);
    EXPECT_FALSE(fails_within(*fault.subject, 100)) << one.fault;
    set_threshold(one.fault, one.much);
    EXPECT_TRUE(fails_within(*fault.subject, 100)) << one.fault;
  }
}

TEST(SearchTrials, EndWithTheFirstFailureOrTheBudget) {
  const Subject canary(cpu::subject(), &canary_subject());
  const TrialBudget budget{2000, 600};
  const Trial found = search_for(canary, Search::series, 3, budget);
  ASSERT_TRUE(found.found);
  const Trial again = search_for(canary, Search::series, 3, budget);
  EXPECT_EQ(again.cases, found.cases);
  ASSERT_GT(found.cases, 1u);
  const Trial short_of_it = search_for(canary, Search::series, 3, {found.cases - 1, 600});
  EXPECT_FALSE(short_of_it.found);
  EXPECT_EQ(short_of_it.cases, found.cases - 1);
  const Subject right(cpu::subject());
  EXPECT_FALSE(search_for(right, Search::series, 3, {50, 600}).found);
}

}  // namespace
}  // namespace helixcheck
