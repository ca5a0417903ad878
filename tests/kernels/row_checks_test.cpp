// Prompt and cache rows checked on the GPU give the evidence that the judge's own tallies give.

#include <cmath>
#include <limits>
#include <vector>

#include "generate/case.hpp"
#include "generate/draw.hpp"
#include "kernels/accelerated.hpp"
#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "support/random_inputs.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Within 1e-11, or the same infinity, or both NaN.
void expect_close(double got, double want) {
  if (got == want) return;
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(got));
  } else {
    EXPECT_NEAR(got, want, 1e-11 * (1 + std::abs(want)));
  }
}

void expect_same(const TapResult& got, const TapResult& want) {
  EXPECT_EQ(got.values, want.values);
  EXPECT_EQ(got.failures, want.failures);
  EXPECT_EQ(got.exact, want.exact);
  EXPECT_EQ(got.worst.step, want.worst.step);
  EXPECT_EQ(got.worst.request, want.worst.request);
  EXPECT_EQ(got.worst.row, want.worst.row);
  EXPECT_EQ(got.worst.rank, want.worst.rank);
  EXPECT_EQ(got.worst.element, want.worst.element);
  if (std::isfinite(want.worst_ratio)) {
    EXPECT_NEAR(got.worst_ratio, want.worst_ratio, 1e-6 * want.worst_ratio);
  } else {
    EXPECT_EQ(got.worst_ratio, want.worst_ratio);
  }
  expect_close(got.worst_got, want.worst_got);
  expect_close(got.worst_want, want.worst_want);
  expect_close(got.worst_bound, want.worst_bound);
  expect_close(got.max_abs_error, want.max_abs_error);
  EXPECT_NEAR(got.blindness, want.blindness, 1e-9 * want.blindness);
}

// A prompt on one rank, stored as a correct subject stores it.
class Prompted {
 public:
  explicit Prompted(const Inputs& inputs)
      : inputs_(inputs), scenario_(inputs.scenario()), g_(scenario_), history_(scenario_) {
    history_.apply(expand_script(scenario_).front());
    rows_ = scenario_.problem.ctx_len.front();
    std::vector<std::byte> codes(static_cast<std::size_t>(rows_ * g_.hidden) * size_of(g_.dtype));
    inputs.hidden({0, 0}, rows_, codes.data());
    std::vector<double> x(static_cast<std::size_t>(rows_ * g_.hidden));
    decode_to(g_.dtype, codes.data(), std::span<double>(x));
    std::vector<double> kv_c(static_cast<std::size_t>(rows_ * g_.width));
    stages::linear(x, widen(inputs.weights().kv_a), rows_, g_.hidden, g_.width, kv_c);
    kv_c_ = stored(kv_c);
    decode_to(g_.dtype, kv_c_.data(), std::span<double>(kv_c));
    latent_ = stored(latent_of(kv_c));
  }

  void plant(std::vector<std::byte>& codes, std::int64_t row, std::int64_t element, double value) {
    store_code(g_.dtype, codes.data(), row * g_.width + element, encode(g_.dtype, value));
  }
  std::vector<std::byte>& kv_c() { return kv_c_; }
  std::vector<std::byte>& latent() { return latent_; }

  // The judge's results of both taps.
  struct Results {
    TapResult kv_c, latent;
  };
  Results judged(std::string_view contract, Accelerator* accelerator) const {
    StageContracts contracts;
    contracts.fill(&find_contract(contract));
    JudgeState state(inputs_, contracts, accelerator);
    state.stage = Stage::project;
    PromptTaps taps{3, 0, {}, &history_};
    PromptTaps::RankRows& rows = taps.ranks.emplace_back();
    for (std::int64_t i = 0; i < rows_; ++i) rows.index.push_back(i);
    rows.kv_c = {true, false, g_.dtype, {rows_, g_.width}, kv_c_.data()};
    rows.latent = {true, false, g_.dtype, {rows_, g_.width}, latent_.data()};
    judge_prompt(state, taps);
    return {state.ledger.tap(Tap::kv_c).result(Tap::kv_c),
            state.ledger.tap(Tap::latent).result(Tap::latent)};
  }

 private:
  std::vector<std::byte> stored(const std::vector<double>& values) const {
    std::vector<std::byte> codes(values.size() * size_of(g_.dtype));
    encode_from(g_.dtype, std::span<const double>(values), codes.data());
    return codes;
  }

  std::vector<double> latent_of(const std::vector<double>& kv_c) const {
    std::vector<double> rows = kv_c;
    const std::vector<double> norm = widen(inputs_.weights().kv_a_norm);
    const auto width = static_cast<std::size_t>(g_.width);
    const auto latent = static_cast<std::size_t>(g_.latent);
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows_); ++i) {
      const std::span<double> row = std::span(rows).subspan(i * width, width);
      stages::rms_norm(row.first(latent), norm, scenario_.problem.rms_norm_eps, row.first(latent));
      stages::rope(row.subspan(latent),
                   scenario_.problem.position_base + static_cast<std::int64_t>(i), inputs_.rope(),
                   scenario_.problem.rope_interleave);
    }
    return rows;
  }

  const Inputs& inputs_;
  const Scenario& scenario_;
  Geometry g_;
  History history_;
  std::int64_t rows_ = 0;
  std::vector<std::byte> kv_c_, latent_;
};

// Large enough for the judge to ask the accelerator.
Scenario prompt_scenario(Dtype dtype, bool interleave) {
  Scenario s;
  s.problem.hidden_size = 1030;
  s.problem.num_heads = 2;
  s.problem.kv_lora_rank = 450;
  s.problem.qk_rope_head_dim = 66;
  s.problem.ctx_len = {300};
  s.problem.dtype = s.problem.kv_cache_dtype = dtype;
  s.problem.rope_interleave = interleave;
  s.problem.position_base = 123456;
  s.layout.kvp = 1;
  return s;
}

class RowChecks : public Accelerated {
 protected:
  void expect_same_evidence(const Prompted& prompt, std::string_view contract) {
    accelerator().forget();
    const Prompted::Results want = prompt.judged(contract, nullptr);
    const Prompted::Results got = prompt.judged(contract, &accelerator());
    expect_same(got.kv_c, want.kv_c);
    expect_same(got.latent, want.latent);
  }
};

TEST_F(RowChecks, CorrectPromptsInEveryFormat) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const bool interleave : {true, false}) {
      const DrawnCase inputs(prompt_scenario(dtype, interleave));
      const Prompted prompt(inputs);
      for (const std::string_view contract : {"cpu", "trtllm", "unknown"}) {
        expect_same_evidence(prompt, contract);
      }
      EXPECT_EQ(prompt.judged("cpu", &accelerator()).kv_c.failures, 0);
      EXPECT_EQ(prompt.judged("cpu", &accelerator()).latent.failures, 0);
    }
  }
}

TEST_F(RowChecks, PlantedErrorsAreFoundWhereTheyAre) {
  const DrawnCase inputs(prompt_scenario(Dtype::bf16, true));
  Prompted prompt(inputs);
  prompt.plant(prompt.kv_c(), 17, 5, 3.25);
  prompt.plant(prompt.kv_c(), 170, 470, -0.5);
  prompt.plant(prompt.latent(), 299, 515, 7.0);
  prompt.plant(prompt.latent(), 0, 0, 11.0);
  expect_same_evidence(prompt, "cpu");
  EXPECT_GT(prompt.judged("cpu", &accelerator()).kv_c.failures, 0);
  EXPECT_GT(prompt.judged("cpu", &accelerator()).latent.failures, 0);
}

TEST_F(RowChecks, NanAndInfinityAreFailures) {
  const DrawnCase inputs(prompt_scenario(Dtype::bf16, false));
  Prompted prompt(inputs);
  prompt.plant(prompt.kv_c(), 40, 100, kNan);
  prompt.plant(prompt.kv_c(), 41, 480, std::numeric_limits<double>::infinity());
  prompt.plant(prompt.latent(), 200, 3, kNan);
  expect_same_evidence(prompt, "cpu");
}

TEST_F(RowChecks, GivenHiddenStates) {
  const RandomInputs inputs(prompt_scenario(Dtype::bf16, true));
  Prompted prompt(inputs);
  expect_same_evidence(prompt, "cpu");
  prompt.plant(prompt.kv_c(), 3, 3, 30.0);
  expect_same_evidence(prompt, "cpu");
}

TEST_F(RowChecks, EqualRequestsDrawAlike) {
  Scenario s = prompt_scenario(Dtype::bf16, true);
  s.problem.data.equal_requests = true;
  const DrawnCase inputs(s);
  expect_same_evidence(Prompted(inputs), "cpu");
}

// With the identity as the weight and no bound at all, what is compared are the drawn values.
TEST_F(RowChecks, DrawsTheSameBits) {
  constexpr std::int64_t kWidth = 98;
  const std::vector<Token> tokens{{0, 0}, {0, 1}, {7, 1000000}, {3, 0xfffffffe}};
  std::vector<double> identity(kWidth * kWidth);
  for (std::size_t i = 0; i < identity.size(); i += kWidth + 1) identity[i] = 1;
  const std::vector<double> ones(kWidth, 1.0);
  RopeTable table;
  table.inv_freq.assign(16, 1.0);
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    accelerator().forget();
    std::vector<std::byte> w(identity.size() * size_of(dtype));
    encode_from(dtype, std::span<const double>(identity), w.data());
    const std::size_t row_bytes = kWidth * size_of(dtype);
    std::vector<std::byte> drawn(tokens.size() * row_bytes);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      draw_uniform({0x123456789abcdef, TensorId::hidden, tokens[i].request, tokens[i].draw}, 0, 1,
                   dtype, kWidth, drawn.data() + i * row_bytes);
    }
    PromptRows rows;
    rows.rows = std::ssize(tokens);
    rows.hidden = kWidth;
    rows.latent = kWidth - 32;
    rows.rope = 32;
    rows.dtype = dtype;
    rows.drawn = DrawnHidden{0x123456789abcdef, static_cast<std::uint32_t>(TensorId::hidden)};
    rows.tokens = tokens;
    rows.w = w.data();
    rows.w_norms = ones;
    rows.norm_weight = ones;
    rows.table = &table;
    rows.kv_c = drawn.data();
    const Evidence seen = accelerator().check_prompt(rows).kv_c;
    EXPECT_EQ(seen.values, rows.rows * kWidth);
    EXPECT_EQ(seen.failures, 0);
    EXPECT_EQ(seen.inexact, 0);
    EXPECT_EQ(seen.max_abs_error, 0);
    EXPECT_EQ(seen.worst.row, -1);
  }
}

TEST_F(RowChecks, StoredRows) {
  constexpr std::int64_t kRows = 3000, kWidth = 576;
  for (const double scale : {0.37, 0.25}) {
    std::vector<std::byte> latent(kRows * kWidth * 2), codes(kRows * kWidth);
    draw_uniform({1, TensorId::latent, 0, 0}, 0, 200, Dtype::bf16, kRows * kWidth, latent.data());
    std::vector<double> want(kRows * kWidth), bound(want.size()), got(want.size());
    decode_to(Dtype::bf16, latent.data(), std::span<double>(want));
    for (std::size_t i = 0; i < want.size(); ++i) {
      bound[i] = bounds::cache_value(want[i], scale);
      want[i] /= scale;
    }
    encode_from(Dtype::fp8_e4m3, std::span<const double>(want), codes.data());
    codes[12345] = std::byte{0x7f};  // NaN
    codes[54321] ^= std::byte{1};
    decode_to(Dtype::fp8_e4m3, codes.data(), std::span<double>(got));
    Tally expected, tally;
    for (std::size_t row = 0; row < kRows; ++row) {
      const auto part = [&](std::vector<double>& all) {
        return std::span(all).subspan(row * kWidth, kWidth);
      };
      Place place;
      place.row = static_cast<std::int64_t>(row);
      place.element = 0;
      expected.compare(Dtype::fp8_e4m3, part(got), part(want), part(bound), place);
    }
    const Evidence seen =
        accelerator().check_stored({kRows, kWidth, Dtype::bf16, Dtype::fp8_e4m3, latent.data(),
                                    codes.data(), scale, bounds::cache_factor(scale)});
    tally.absorb(seen, {-1, -1, seen.worst.row, -1, -1, seen.worst.element});
    expect_same(tally.result(Tap::cache_rows), expected.result(Tap::cache_rows));
  }
}

}  // namespace
}  // namespace helixcheck
