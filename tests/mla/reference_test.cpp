// The reference against cases worked out by hand and against properties that attention has by
// definition. Its agreement with other people's code is tests/golden.

#include "mla/reference.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "mla/formats.hpp"
#include "support/random_inputs.hpp"

namespace helixcheck {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

Tensor tensor(std::vector<std::int64_t> shape, const Values& values) {
  Tensor result(Dtype::fp32, std::move(shape));
  encode_from(Dtype::fp32, std::span<const double>(values), result.bytes.data());
  return result;
}

// Inputs given by functions of the token, in fp32.
struct ExplicitInputs : Inputs {
  explicit ExplicitInputs(Scenario given) : scenario_(std::move(given)) {
    scenario_.problem.dtype = Dtype::fp32;
    rope_ = resolve_rope(scenario_.problem);
  }
  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return rope_; }
  const Weights& weights() const override { return weights_; }
  void hidden(Token first, std::int64_t, std::byte* out) const override {
    write(hidden_of(first), out);
  }
  void latent(Token first, std::int64_t, std::int64_t, std::byte* out) const override {
    write(latent_of(first), out);
  }
  void query(const Row& row, std::byte* out) const override { write(query_of(row.token), out); }
  Partials partials() const override { return partials_; }

  static void write(const Values& values, std::byte* out) {
    encode_from(Dtype::fp32, std::span<const double>(values), out);
  }

  Scenario scenario_;
  RopeTable rope_;
  Weights weights_;
  Partials partials_;
  std::function<Values(Token)> hidden_of, latent_of, query_of;  // one token at a time
};

// All decode steps of the scenario's script, one after the other.
std::vector<StepResult> run(const Inputs& inputs) {
  Reference reference(inputs);
  History history(inputs.scenario());
  std::vector<StepResult> results;
  for (const Step& step : expand_script(inputs.scenario())) {
    const std::vector<Row> rows = history.apply(step);
    if (step.kind == StepKind::decode) results.push_back(reference.step(history, rows));
  }
  return results;
}

void expect_near(const Values& actual, const Values& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance) << i;
  }
}

// One head over R = 2, N = 1, P = 2, Vd = 1, D = 2, for a prompt of one token.
//   token 0, x = (1, 0): c = (1, 1),  k_nope = 1, v = 3,  k_pe = (1, 0) at position 0
//   token 1, x = (0, 1): c = (1, -1), k_nope = 1, v = -3, k_pe = (0, 1) turned by 1 radian
//   query of token 1: q_nope = 2, q_pe = (1, 0) turned by 1 radian
//   scores 2 + cos 1 and 2: out = 3 tanh(cos(1) / 2), y = (2 out, -out)
ExplicitInputs hand_case() {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.hidden_size = p.kv_lora_rank = p.qk_rope_head_dim = 2;
  p.num_heads = p.qk_nope_head_dim = p.v_head_dim = 1;
  p.rms_norm_eps = 0;
  p.softmax_scale = 1;
  p.kv_cache_dtype = Dtype::fp32;
  p.ctx_len = {1};
  ExplicitInputs inputs(scenario);
  inputs.weights_.kv_a = tensor({4, 2}, {1, 1, 1, -1, 1, 0, 0, 1});
  inputs.weights_.kv_a_norm = tensor({2}, {1, 1});
  inputs.weights_.kv_b = tensor({2, 2}, {1, 0, 0, 3});
  inputs.weights_.q_b = tensor({3, 2}, {0, 2, 0, 1, 0, 0});
  inputs.weights_.o = tensor({2, 1}, {2, -1});
  inputs.hidden_of = [](Token token) { return token.draw == 0 ? Values{1, 0} : Values{0, 1}; };
  return inputs;
}

const double kHandOut = 3 * std::tanh(std::cos(1.0) / 2);
const double kHandLse = 2 + std::log(std::exp(std::cos(1.0)) + 1);

TEST(Reference, HandComputedLayer) {
  const StepResult result = run(hand_case()).at(0);
  expect_near(result.output, {2 * kHandOut, -kHandOut}, 1e-14);
  expect_near(result.lse, {kHandLse}, 1e-14);
  EXPECT_TRUE(result.combined.empty());
}

// The norm's epsilon, weights and mean: c of token 1 is w / sqrt(mean + eps) (1, -1).
TEST(Reference, RmsNorm) {
  ExplicitInputs inputs = hand_case();
  inputs.scenario_.problem.ctx_len = {0};  // token 0 has x = (1, 0) and sees itself: out = v
  inputs.scenario_.problem.rms_norm_eps = 3;
  inputs.weights_.kv_a_norm = tensor({2}, {1, 5});
  const double value = 3 * (1 / std::sqrt(1 + 3.0)) * 5;
  expect_near(run(inputs).at(0).output, {2 * value, -value}, 1e-14);
}

TEST(Reference, AGivenPromptReplacesTheProjection) {
  ExplicitInputs inputs = hand_case();
  inputs.scenario_.problem.prompt = Prompt::given;
  inputs.scenario_.problem.kv_cache_dtype = Dtype::fp8_e4m3;
  inputs.scenario_.problem.kv_scale = 0.25;
  inputs.hidden_of = [](Token token) {
    return token.draw == 0 ? Values{kNan, kNan} : Values{0, 1};  // the prompt's is not used
  };
  inputs.latent_of = [](Token) { return Values{1, 1 + 0x1p-6, 1, 0}; };  // 1 in fp8
  expect_near(run(inputs).at(0).output, {2 * kHandOut, -kHandOut}, 1e-14);
}

// Small layers with everything that can be switched on.
Scenario small_layer() {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.hidden_size = 24;
  p.num_heads = 3;
  p.q_lora_rank = 16;
  p.kv_lora_rank = 16;
  p.qk_nope_head_dim = 8;
  p.qk_rope_head_dim = 8;
  p.v_head_dim = 6;
  p.rope_scaling = RopeScaling{};
  p.rope_scaling->mscale_all_dim = 0.5;
  p.ctx_len = {5, 9};
  p.predicted_tokens_per_seq = 2;
  p.decode_steps = 2;
  return scenario;
}

TEST(Reference, OnlyRelativePositionsMatter) {
  Scenario scenario = small_layer();
  const std::vector<StepResult> at_zero = run(RandomInputs(scenario));
  scenario.problem.position_base = 1000;
  const std::vector<StepResult> shifted = run(RandomInputs(scenario));
  for (std::size_t step = 0; step < at_zero.size(); ++step) {
    expect_near(shifted[step].output, at_zero[step].output, 1e-12);
    expect_near(shifted[step].lse, at_zero[step].lse, 1e-12);
  }
}

// Moves the elements of interleaved pairs (0 1 2 3 ...) to halves (0 2 ... 1 3 ...) in the rows
// first .. first + count - 1 of a matrix.
void pairs_to_halves(Tensor& matrix, std::int64_t first, std::int64_t count) {
  const std::size_t row_bytes = static_cast<std::size_t>(matrix.shape[1]) * size_of(matrix.dtype);
  const Tensor before = matrix;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t source = i < count / 2 ? 2 * i : 2 * (i - count / 2) + 1;
    std::copy_n(
        before.bytes.begin() + (first + source) * std::ssize(before.bytes) / before.shape[0],
        row_bytes, matrix.bytes.begin() + (first + i) * std::ssize(before.bytes) / before.shape[0]);
  }
}

TEST(Reference, HalvesArePairsWithPermutedWeights) {
  struct Permuted : RandomInputs {
    explicit Permuted(const Scenario& scenario)
        : RandomInputs(scenario), permuted(RandomInputs::weights()) {}
    const Weights& weights() const override { return permuted; }
    Weights permuted;
  };
  Scenario scenario = small_layer();
  const std::vector<StepResult> pairs = run(RandomInputs(scenario));
  scenario.problem.rope_interleave = false;
  Permuted inputs(scenario);
  const Problem& p = scenario.problem;
  pairs_to_halves(inputs.permuted.kv_a, p.kv_lora_rank, p.qk_rope_head_dim);
  for (std::int64_t head = 0; head < p.num_heads; ++head) {
    const std::int64_t head_dim = p.qk_nope_head_dim + p.qk_rope_head_dim;
    pairs_to_halves(inputs.permuted.q_b, head * head_dim + p.qk_nope_head_dim, p.qk_rope_head_dim);
  }
  const std::vector<StepResult> halves = run(inputs);
  for (std::size_t step = 0; step < pairs.size(); ++step) {
    expect_near(halves[step].output, pairs[step].output, 1e-12);
  }
}

// A row sees tokens up to its own, whatever else its step appends.
TEST(Reference, RowsOfOneStepEqualSingleSteps) {
  Scenario scenario = small_layer();
  const std::vector<StepResult> together = run(RandomInputs(scenario));
  scenario.problem.predicted_tokens_per_seq = 1;
  scenario.problem.decode_steps = 4;
  const std::vector<StepResult> single = run(RandomInputs(scenario));
  const auto width = scenario.problem.hidden_size;
  const auto row = [&](const StepResult& result, std::int64_t r) {
    const auto begin = result.output.begin() + r * width;
    return Values(begin, begin + width);
  };
  for (std::int64_t request = 0; request < 2; ++request) {
    for (std::size_t token = 0; token < 4; ++token) {
      const auto r = 2 * request + static_cast<std::int64_t>(token % 2);
      EXPECT_EQ(row(together[token / 2], r), row(single[token], request));
    }
  }
}

// Kept keys must not survive a rejection, nor be lost by a fork.
TEST(Reference, KeptKeysAreThoseOfAFreshReference) {
  Scenario scenario = small_layer();
  scenario.script = {{StepKind::join, {}, {}},           {StepKind::decode, {0, 1}, {3, 2}},
                     {StepKind::reject, {0}, {2}},       {StepKind::fork, {0}, {}},
                     {StepKind::decode, {2, 0}, {2, 1}}, {StepKind::decode, {0, 2}, {1, 1}}};
  const RandomInputs inputs(scenario);
  Reference kept(inputs);
  History history(scenario);
  for (const Step& step : expand_script(scenario)) {
    const std::vector<Row> rows = history.apply(step);
    if (step.kind != StepKind::decode) continue;
    EXPECT_EQ(kept.step(history, rows).output, Reference(inputs).step(history, rows).output);
  }
}

// Two heads over R = 2, P = 2 with explicit queries and rows.
ExplicitInputs core_case(std::int64_t prompt) {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.entry = Entry::core;
  p.num_heads = p.kv_lora_rank = p.qk_rope_head_dim = 2;
  p.softmax_scale = 0.5;
  p.kv_cache_dtype = Dtype::fp32;
  p.ctx_len = {prompt};
  ExplicitInputs inputs(scenario);
  inputs.query_of = [](Token) { return Values{1, 2, 0, 2, -1, 0.5, 3, 2}; };
  inputs.latent_of = [](Token token) {
    const auto t = static_cast<double>(token.draw);
    return Values{1 + t, 2 - t * t, 0.5 * t, -0.25};
  };
  return inputs;
}

TEST(Reference, OneKeyGivesItsValueAndItsScore) {
  const StepResult result = run(core_case(0)).at(0);
  EXPECT_EQ(result.combined, (Values{1, 2, 1, 2}));
  EXPECT_EQ(result.lse, (Values{0.5 * (1 + 4 - 0.5), 0.5 * (-1 + 1 - 0.5)}));
  EXPECT_TRUE(result.output.empty());
}

TEST(Reference, EqualKeysShareTheWeight) {
  ExplicitInputs inputs = core_case(6);
  inputs.latent_of = [](Token) { return Values{3, -4, 0.5, 1}; };
  const StepResult result = run(inputs).at(0);
  expect_near(result.combined, {3, -4, 3, -4}, 1e-14);
  expect_near(result.lse,
              {0.5 * (3 - 8 + 2) + std::log(7.0), 0.5 * (-3 - 2 + 1.5 + 2) + std::log(7.0)}, 1e-14);
}

// A constant on every score (both queries have 2 in the last place) moves the LSE alone.
TEST(Reference, AShiftOfAllScoresMovesTheLseAlone) {
  ExplicitInputs inputs = core_case(3);
  const StepResult plain = run(inputs).at(0);
  const auto latent = inputs.latent_of;
  for (const double shift : {-3.0, 2000.0}) {  // exp(2000) overflows: the maximum must go first
    inputs.latent_of = [&](Token token) {
      Values row = latent(token);
      row[3] += shift;
      return row;
    };
    const StepResult shifted = run(inputs).at(0);
    expect_near(shifted.combined, plain.combined, 1e-12);
    expect_near(shifted.lse, {plain.lse[0] + shift, plain.lse[1] + shift}, 1e-12);
  }
}

TEST(Reference, CoreRowsAreReadAsStored) {
  ExplicitInputs inputs = core_case(0);
  inputs.scenario_.problem.kv_cache_dtype = Dtype::fp8_e4m3;
  inputs.scenario_.problem.kv_scale = 0.5;
  inputs.latent_of = [](Token) { return Values{1.03, 300, 0, 0}; };
  EXPECT_EQ(run(inputs).at(0).combined, (Values{1, 224, 1, 224}));  // 2.06 -> 2, 600 -> 448
}

// Three partials of one row and two heads; the second head's are all empty.
TEST(MergeReference, WeighsPartialsAndIgnoresEmptyOnes) {
  Scenario scenario;
  scenario.problem.entry = Entry::merge;
  ExplicitInputs inputs(scenario);
  inputs.partials_.o = tensor({3, 1, 2, 2}, {1, 2, kNan, 7, 5, -2, kInf, 7, kNan, kInf, 7, 7});
  inputs.partials_.lse = tensor({3, 1, 2}, {1000, -kInf, 1001, -kInf, -kInf, -kInf});
  const StepResult result = merge_reference(inputs);
  const double w = 1 / (1 + std::exp(1.0));  // of the first partial
  ASSERT_EQ(result.combined.size(), 4u);
  EXPECT_NEAR(result.combined[0], w + 5 * (1 - w), 1e-14);
  EXPECT_NEAR(result.combined[1], 2 * w - 2 * (1 - w), 1e-14);
  EXPECT_EQ(result.combined[2], 0);
  EXPECT_EQ(result.combined[3], 0);
  EXPECT_NEAR(result.lse[0], 1000 + std::log(1 + std::exp(1.0)), 1e-12);
  EXPECT_EQ(result.lse[1], -kInf);
}

}  // namespace
}  // namespace helixcheck
