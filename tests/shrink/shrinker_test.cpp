#include "shrink/shrinker.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>

#include "failing.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "shrink/order.hpp"

namespace helixcheck {
namespace {

// The simplest scenario at an entry; what a case adds to it is what its condition needs.
Scenario simplest(Entry entry) {
  Scenario s;
  Problem& p = s.problem;
  p.entry = entry;
  p.num_heads = p.kv_lora_rank = 1;
  if (entry == Entry::merge) return s;
  p.qk_nope_head_dim = 1;
  p.qk_rope_head_dim = 2;
  p.ctx_len = {0};
  s.layout.kvp = 1;
  s.layout.kv_cache_tokens_per_block = 1;
  if (entry == Entry::layer) p.hidden_size = p.v_head_dim = 1;
  return s;
}

struct Case {
  const char* name;
  Condition condition;
  Entry entry;
  std::function<void(Scenario&)> add;
};

bool any_ctx(const Scenario& s, const std::function<bool(std::int64_t)>& says) {
  return s.problem.entry != Entry::merge &&
         std::any_of(s.problem.ctx_len.begin(), s.problem.ctx_len.end(), says);
}

std::int64_t page(const Scenario& s) {
  return s.layout.kv_cache_tokens_per_block;
}

std::int64_t rows(const Scenario& s) {
  const auto batch = static_cast<std::int64_t>(s.problem.ctx_len.size());
  if (s.problem.entry == Entry::merge) return batch;
  return batch * s.problem.predicted_tokens_per_seq + s.layout.padding_rows;
}

auto find_step(const Scenario& s, StepKind kind) {
  return std::find_if(s.script.begin(), s.script.end(),
                      [kind](const Step& step) { return step.kind == kind; });
}

bool has_step(const Scenario& s, StepKind kind) {
  return std::any_of(s.script.begin(), s.script.end(),
                     [kind](const Step& step) { return step.kind == kind; });
}

std::vector<Case> cases_of_shapes() {
  return {
      {"ranks", [](const Scenario& s) { return s.layout.kvp >= 3; }, Entry::merge,
       [](Scenario& s) { s.layout.kvp = 3; }},
      {"periodic ctx",
       [](const Scenario& s) { return any_ctx(s, [](auto c) { return c % 48 == 7; }); },
       Entry::core, [](Scenario& s) { s.problem.ctx_len = {7}; }},
      {"periodic ctx above a threshold",
       [](const Scenario& s) { return any_ctx(s, [](auto c) { return c > 256 && c % 96 == 1; }); },
       Entry::core, [](Scenario& s) { s.problem.ctx_len = {289}; }},
      {"coupled page",
       [](const Scenario& s) {
         return page(s) > 1 && any_ctx(s, [&](auto c) { return c > 0 && c % (2 * page(s)) == 0; });
       },
       Entry::core,
       [](Scenario& s) {
         s.layout.kv_cache_tokens_per_block = 2;
         s.problem.ctx_len = {4};
       }},
      {"coupled ranks",
       [](const Scenario& s) {
         return s.layout.kvp > 1 && any_ctx(s, [&](auto c) {
                  return c > 0 && c % (page(s) * s.layout.kvp) == page(s) * s.layout.kvp - 1;
                });
       },
       Entry::core,
       [](Scenario& s) {
         s.layout.kvp = s.problem.num_heads = 2;
         s.problem.ctx_len = {1};
       }},
      {"sum of batch and ctx",
       [](const Scenario& s) {
         return any_ctx(s, [&](auto c) { return (c + s.problem.batch()) % 64 == 0; });
       },
       Entry::core, [](Scenario& s) { s.problem.ctx_len = {63}; }},
      {"ragged",
       [](const Scenario& s) {
         return any_ctx(s, [](auto c) { return c >= 5; }) &&
                any_ctx(s, [](auto c) { return c == 0; });
       },
       Entry::core,
       [](Scenario& s) {
         s.problem.ctx_len = {0, 5};
       }},
      {"projections over both kinds of ranks",
       [](const Scenario& s) {
         return s.problem.entry == Entry::layer && s.layout.kvp > 1 && s.layout.tpa > 1;
       },
       Entry::layer,
       [](Scenario& s) {
         s.layout.kvp = s.layout.tpa = 2;
         s.problem.num_heads = 4;
       }},
      {"rows of a step, whatever they are",
       [](const Scenario& s) { return s.script.empty() && rows(s) >= 3; }, Entry::merge,
       [](Scenario& s) { s.problem.ctx_len.resize(3, s.problem.ctx_len[0]); }}};
}

std::vector<Case> cases_of_values() {
  return {
      {"fp8 scale", [](const Scenario& s) { return s.problem.kv_scale < 0.05; }, Entry::merge,
       [](Scenario& s) {
         s.problem.kv_cache_dtype = Dtype::fp8_e4m3;
         s.problem.kv_scale = 0.03125;
       }},
      {"dtype with its cache",
       [](const Scenario& s) {
         return s.problem.dtype == Dtype::fp16 && s.problem.entry == Entry::core;
       },
       Entry::core, [](Scenario& s) { s.problem.dtype = s.problem.kv_cache_dtype = Dtype::fp16; }},
      {"far position",
       [](const Scenario& s) {
         return s.problem.entry != Entry::merge && s.problem.position_base >= 131072;
       },
       Entry::core, [](Scenario& s) { s.problem.position_base = 131072; }},
      {"far into the pool",
       [](const Scenario& s) {
         constexpr std::int64_t kOffset = std::int64_t{1} << 31;
         return s.problem.entry != Entry::merge &&
                s.layout.page_id_base * page_elements(s) >= kOffset;
       },
       Entry::core, [](Scenario& s) { s.layout.page_id_base = 715827883; }},  // 2^31 / 3
      {"heavy key on the second rank",
       [](const Scenario& s) {
         const auto& heavy = s.problem.data.heavy;
         return std::any_of(heavy.begin(), heavy.end(),
                            [](const HeavyKey& key) { return key.kvp_rank == 1; });
       },
       Entry::core,
       [](Scenario& s) {
         s.layout.kvp = s.problem.num_heads = 2;
         s.problem.data.heavy = {{HeavyPlace::key_zero, 0, 1, 0.5}};
       }}};
}

std::vector<Case> cases_of_scripts() {
  return {
      {"rejection", [](const Scenario& s) { return has_step(s, StepKind::reject); }, Entry::core,
       [](Scenario& s) {
         s.script = {
             {StepKind::join, {}, {}}, {StepKind::decode, {}, {}}, {StepKind::reject, {}, {}}};
       }},
      {"finish after a fork",
       [](const Scenario& s) {
         const auto fork = find_step(s, StepKind::fork);
         return std::any_of(fork, s.script.end(),
                            [](const Step& step) { return step.kind == StepKind::finish; });
       },
       Entry::core,
       [](Scenario& s) {
         s.script = {{StepKind::join, {}, {}},
                     {StepKind::decode, {}, {}},
                     {StepKind::fork, {0}, {}},
                     {StepKind::finish, {0}, {}}};
       }}};
}

std::vector<Case> cases() {
  std::vector<Case> all = cases_of_shapes();
  for (const auto& more : {cases_of_values(), cases_of_scripts()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

TEST(Shrink, EndsInExactlyThis) {
  for (const Case& one : cases()) {
    Scenario expected = simplest(one.entry);
    one.add(expected);
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const ShrinkResult result =
          shrink(drawn_failing(one.condition, seed), kWanted, failing_if(one.condition));
      EXPECT_EQ(print_scenario(result.scenario), print_scenario(expected))
          << one.name << ", seed " << seed;
      EXPECT_TRUE(result.locally_minimal) << one.name;
      EXPECT_EQ(result.stopped_by, "");
    }
  }
}

TEST(Shrink, OnlyTheSameSignatureCounts) {
  const auto decoy = [](const Scenario& s) { return s.problem.batch() == 1; };
  const FailingWith fails_with = [&](const Scenario& s) -> std::optional<Signature> {
    if (decoy(s)) return kOther;
    return kWanted;
  };
  const Scenario start =
      drawn_failing([](const Scenario& s) { return s.problem.batch() > 4 && s.script.empty(); }, 1);
  EXPECT_EQ(shrink(start, kWanted, fails_with).scenario.problem.batch(), 2);
}

TEST(Shrink, CapsAreKeptAndNamed) {
  std::int64_t calls = 0;
  const FailingWith counted = [&](const Scenario& s) -> std::optional<Signature> {
    ++calls;
    return s.problem.num_heads > 1 ? std::optional(kWanted) : std::nullopt;
  };
  const Scenario start =
      drawn_failing([](const Scenario& s) { return s.problem.num_heads > 1; }, 2);
  ShrinkLimits limits;
  limits.evaluations = 7;
  ShrinkResult result = shrink(start, kWanted, counted, limits);
  EXPECT_EQ(calls, 7);
  EXPECT_EQ(result.evaluations, 7);
  EXPECT_EQ(result.stopped_by, "evaluations");
  EXPECT_FALSE(result.locally_minimal);
  EXPECT_GT(result.scenario.problem.num_heads, 1);

  limits = {};
  limits.seconds = 0;
  EXPECT_EQ(shrink(start, kWanted, counted, limits).stopped_by, "seconds");
  limits = {};
  calls = 0;
  limits.interrupted = [&] { return calls == 3; };
  EXPECT_EQ(shrink(start, kWanted, counted, limits).stopped_by, "interrupt");
  EXPECT_EQ(calls, 3);
}

TEST(Shrink, CountsAndResultDoNotDependOnJobs) {
  for (const Case& one : cases()) {
    for (const std::int64_t evaluations : {40, 4000}) {
      const Scenario start = drawn_failing(one.condition, 5);
      ShrinkLimits limits;
      limits.evaluations = evaluations;
      const ShrinkResult alone = shrink(start, kWanted, failing_if(one.condition), limits);
      for (const int jobs : {2, 3}) {
        limits.jobs = jobs;
        const ShrinkResult together = shrink(start, kWanted, failing_if(one.condition), limits);
        EXPECT_EQ(together.scenario, alone.scenario) << one.name;
        EXPECT_EQ(together.evaluations, alone.evaluations) << one.name;
        EXPECT_EQ(together.stopped_by, alone.stopped_by) << one.name;
      }
    }
  }
}

TEST(Shrink, ErrorsOfThePredicateReachTheCaller) {
  const FailingWith broken = [](const Scenario& s) -> std::optional<Signature> {
    if (s.problem.entry == Entry::merge) throw std::runtime_error("the machine is out of memory");
    return kWanted;
  };
  for (const int jobs : {1, 4}) {
    ShrinkLimits limits;
    limits.jobs = jobs;
    EXPECT_THROW(shrink(Scenario(), kWanted, broken, limits), std::runtime_error);
  }
}

TEST(Shrink, InvalidScenariosAreRefused) {
  Scenario invalid;
  invalid.layout.kvp = 0;
  EXPECT_THROW(shrink(invalid, kWanted, failing_if([](const Scenario&) { return true; })),
               InputError);
}

// Predicates without any structure: a hash of the scenario decides. They must end, too.
TEST(Shrink, EndsOnRandomPredicates) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Condition random = [seed](const Scenario& s) {
      return std::hash<std::string>{}(identity(s) + std::to_string(seed)) % 3 == 0;
    };
    ShrinkLimits limits;
    limits.evaluations = 200000;
    const ShrinkResult result =
        shrink(drawn_failing(random, seed), kWanted, failing_if(random), limits);
    EXPECT_TRUE(result.locally_minimal) << result.stopped_by;
    EXPECT_TRUE(random(result.scenario));
  }
}

}  // namespace
}  // namespace helixcheck
