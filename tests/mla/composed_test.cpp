// The composed form against the reference, over random small problems and scripts.

#include "mla/composed.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <vector>

#include "mla/formats.hpp"
#include "mla/reference.hpp"
#include "support/hash.hpp"
#include "support/random_inputs.hpp"

namespace helixcheck {
namespace {

using Results = std::vector<StepResult>;

// What `subject` makes of every decode step of a scenario.
template <typename Subject>
Results replay(const RandomInputs& inputs, Subject& subject) {
  History history(inputs.scenario());
  Results results;
  for (const Step& step : inputs.scenario().script) {
    const std::vector<Row> rows = history.apply(step);
    if (!rows.empty()) results.push_back(subject.step(history, rows));
  }
  return results;
}

Results composed(const RandomInputs& inputs, Composed::Store store = {}) {
  Composed subject(inputs, std::move(store));
  return replay(inputs, subject);
}

Results reference(const RandomInputs& inputs) {
  Reference subject(inputs);
  return replay(inputs, subject);
}

// Largest error of a row over the largest value of that row.
double row_error(const std::vector<double>& got, const std::vector<double>& want,
                 std::size_t row_size) {
  EXPECT_EQ(got.size(), want.size());
  double worst = 0;
  for (std::size_t at = 0; at < std::min(got.size(), want.size()); at += row_size) {
    double error = 0, size = 0;
    for (std::size_t i = at; i < at + row_size; ++i) {
      error = std::max(error, std::abs(got[i] - want[i]));
      size = std::max(size, std::abs(want[i]));
    }
    EXPECT_TRUE(std::isfinite(error) && size > 0);
    worst = std::max(worst, error / size);
  }
  return worst;
}

void expect_agreement(const RandomInputs& inputs) {
  const Problem& p = inputs.problem();
  const Results got = composed(inputs);
  const Results want = reference(inputs);
  ASSERT_EQ(got.size(), want.size());
  ASSERT_FALSE(want.empty());
  for (std::size_t step = 0; step < want.size(); ++step) {
    const auto heads = static_cast<std::size_t>(p.num_heads);
    EXPECT_LT(row_error(got[step].lse, want[step].lse, heads), 1e-12);
    EXPECT_LT(
        row_error(got[step].output, want[step].output, static_cast<std::size_t>(p.hidden_size)),
        1e-12);
    EXPECT_LT(row_error(got[step].combined, want[step].combined,
                        heads * static_cast<std::size_t>(p.kv_lora_rank)),
              1e-12);
  }
}

const std::vector<Step> kScript = {
    {StepKind::join, {0, 1}, {}},       {StepKind::decode, {0, 1}, {1, 1}},
    {StepKind::decode, {1, 0}, {4, 0}}, {StepKind::reject, {1}, {2}},
    {StepKind::join, {2}, {}},          {StepKind::decode, {0, 2, 1}, {2, 1, 3}},
    {StepKind::fork, {1}, {}},          {StepKind::decode, {3, 1}, {2, 2}},
    {StepKind::finish, {1}, {}},        {StepKind::fork, {3}, {}},
    {StepKind::reject, {3}, {1}},       {StepKind::decode, {0, 2, 3, 4}, {1, 1, 2, 1}}};

Scenario random_scenario(std::uint64_t seed) {
  std::uint64_t draws = 0;
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return hash_between({seed, ++draws}, low, high);
  };
  Scenario scenario;
  scenario.script = kScript;
  Problem& p = scenario.problem;
  p.data.seed = seed;
  p.entry = between(0, 2) == 0 ? Entry::core : Entry::layer;
  p.hidden_size = between(1, 40);
  p.num_heads = between(1, 5);
  scenario.layout.kvp = p.num_heads;  // stores happen shard by shard
  scenario.layout.ownership = Ownership::interleaved;
  p.q_lora_rank = between(0, 1) * between(1, 20);
  p.kv_lora_rank = between(1, 24);
  p.qk_nope_head_dim = between(1, 12);
  p.qk_rope_head_dim = 2 * between(1, 6);
  p.v_head_dim = between(1, 12);
  p.rope_interleave = between(0, 1) == 0;
  if (between(0, 1) == 0) p.rope_scaling = RopeScaling{.factor = 8, .mscale = 0.7};
  p.dtype =
      std::vector{Dtype::bf16, Dtype::fp16, Dtype::fp32}[static_cast<std::size_t>(between(0, 2))];
  p.kv_cache_dtype = between(0, 1) == 0 ? Dtype::fp8_e4m3 : p.dtype;
  if (p.kv_cache_dtype == Dtype::fp8_e4m3) p.kv_scale = 0.3;
  p.position_base = between(0, 1) * between(0, 1000000);
  p.prompt = between(0, 3) == 0 ? Prompt::given : Prompt::computed;
  p.ctx_len = {between(1, 40), between(1, 90), between(1, 5)};
  return scenario;
}

TEST(Composed, AgreesWithTheReference) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_agreement(RandomInputs(random_scenario(seed)));
  }
}

TEST(Composed, PromptsLongerThanAChunkAgree) {
  for (const Entry entry : {Entry::layer, Entry::core}) {
    Scenario scenario;
    Problem& p = scenario.problem;
    p.entry = entry;
    p.hidden_size = 24;
    p.num_heads = 2;
    p.kv_lora_rank = 12;
    p.qk_nope_head_dim = p.v_head_dim = 6;
    p.qk_rope_head_dim = 4;
    p.ctx_len = {1100, 511};
    scenario.script = {{StepKind::join, {0, 1}, {}}, {StepKind::decode, {0, 1}, {2, 2}}};
    expect_agreement(RandomInputs(scenario));
  }
}

// Which formats are stored how often: the pipeline's rounded stores and no other.
TEST(Composed, StoresEachRoundedValueOnce) {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.hidden_size = 10;
  p.num_heads = 3;
  p.q_lora_rank = 7;
  p.kv_lora_rank = 6;
  p.qk_nope_head_dim = 5;
  p.qk_rope_head_dim = 4;
  p.v_head_dim = 2;
  p.kv_cache_dtype = Dtype::fp8_e4m3;
  p.ctx_len = {9};
  scenario.layout.kvp = 3;
  scenario.script = {{StepKind::join, {0}, {}}, {StepKind::decode, {0}, {2}}};
  std::map<Dtype, int> stores;
  composed(RandomInputs(scenario), [&](Dtype dtype, double value) {
    ++stores[dtype];
    return value;
  });
  const int q = 2 * (7 + 7 + 3 * 9 + 3 * 10);  // q_a, q_c, q_nope, q of 2 rows
  const int kv = 11 * (10 + 10);               // kv_c, latent of 11 tokens
  const int out = 2 * (3 * 6 + 3 * 2 + 10);    // combined, v_up, output of 2 rows
  const int shares = 3 * 2 * (3 * 6 + 10);     // partial_o, o_partial of 3 ranks
  EXPECT_EQ(stores[Dtype::bf16], q + kv + out + shares);
  EXPECT_EQ(stores[Dtype::fp8_e4m3], 11 * 10);
  EXPECT_EQ(stores.size(), 2u);
}

TEST(Composed, RoundedStoresStayNearTheExactResult) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scenario scenario = random_scenario(seed);
    scenario.problem.dtype = Dtype::bf16;
    scenario.problem.kv_cache_dtype = Dtype::bf16;
    scenario.problem.kv_scale = 1;
    const RandomInputs inputs(scenario);
    const Results rounded = composed(inputs, round_to);
    const Results exact = composed(inputs);
    bool differs = false;
    for (std::size_t step = 0; step < exact.size(); ++step) {
      const bool layer = scenario.problem.entry == Entry::layer;
      const auto& got = layer ? rounded[step].output : rounded[step].combined;
      const auto& want = layer ? exact[step].output : exact[step].combined;
      EXPECT_LT(row_error(got, want, want.size()), 0.2) << "seed " << seed;
      for (const double value : got) EXPECT_EQ(value, round_to(Dtype::bf16, value));
      differs = differs || got != want;
    }
    EXPECT_TRUE(differs);
  }
}

}  // namespace
}  // namespace helixcheck
