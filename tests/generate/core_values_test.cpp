// The data families of `core`: each has the property it is drawn for.

#include "generate/core_values.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "mla/formats.hpp"
#include "mla/rope.hpp"
#include "scenario/ownership.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

Scenario core_scenario() {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 48;
  s.problem.qk_rope_head_dim = 16;
  s.problem.ctx_len = {200};
  s.layout.kv_cache_tokens_per_block = 16;
  return s;
}

Row first_row(std::int64_t request, std::int64_t ctx_len) {
  return Row{request, 0, ctx_len, Token{request, ctx_len}};
}

// Softmax of one head of the first decode row over all keys 0 .. ctx_len, from rounded values.
std::vector<double> weights_of(const Scenario& s, std::int64_t head) {
  const RopeTable rope = resolve_rope(s.problem);
  const CoreValues values(s, rope);
  const std::int64_t n = s.problem.ctx_len[0];
  const auto width = static_cast<std::size_t>(s.problem.kv_lora_rank + s.problem.qk_rope_head_dim);
  std::vector<double> query(width), key(width), weights;
  values.query(first_row(0, n), head, query);
  double total = 0;
  for (std::int64_t t = 0; t <= n; ++t) {
    values.latent({0, t}, t, key);
    double score = 0;
    for (std::size_t d = 0; d < width; ++d) {
      score += round_to(s.problem.dtype, query[d]) * round_to(s.problem.dtype, key[d]);
    }
    weights.push_back(score * rope.softmax_scale);
  }
  const double top = *std::max_element(weights.begin(), weights.end());
  for (double& weight : weights) {
    weight = std::exp(weight - top);
    total += weight;
  }
  for (double& weight : weights) weight /= total;
  return weights;
}

TEST(UniformFamily, HasTheFixedTestsLogitSpread) {
  Scenario s = core_scenario();
  s.problem.ctx_len = {4000};
  for (const double gain : {0.1, 1.0}) {
    s.problem.data.logit_gain = gain;
    double mean = 0, square = 0;
    const std::vector<double> weights = weights_of(s, 0);
    for (const double w : weights) mean += std::log(w);
    mean /= static_cast<double>(weights.size());
    for (const double w : weights) square += (std::log(w) - mean) * (std::log(w) - mean);
    const double spread = std::sqrt(square / static_cast<double>(weights.size()));
    EXPECT_NEAR(spread / (gain * kLogitStd), 1.0, 0.35) << gain;
  }
}

TEST(HeavyKeys, HoldAtLeastThreeTenthsOfTheirHead) {
  for (const HeavyPlace place :
       {HeavyPlace::key_zero, HeavyPlace::newest, HeavyPlace::shard_first, HeavyPlace::shard_last,
        HeavyPlace::page_first, HeavyPlace::page_last}) {
    for (const std::int64_t ctx_len : {40, 200, 3000}) {
      Scenario s = core_scenario();
      s.problem.ctx_len = {ctx_len};
      s.problem.data.heavy = {HeavyKey{place, 1, 1, 0.5}};
      validate(s);
      const std::int64_t page = 16, first = ctx_len / 2;  // rank 1 holds the second half
      std::int64_t index = 0;
      switch (place) {
        case HeavyPlace::key_zero: index = 0; break;
        case HeavyPlace::newest: index = ctx_len; break;
        case HeavyPlace::shard_first: index = first; break;
        case HeavyPlace::shard_last: index = ctx_len - 1; break;
        case HeavyPlace::page_first: index = first + page; break;
        case HeavyPlace::page_last: index = first + page - 1; break;
      }
      const double mass = weights_of(s, 1)[static_cast<std::size_t>(index)];
      EXPECT_GT(mass, 0.3) << static_cast<int>(place) << " at " << ctx_len;
      EXPECT_LT(mass, 0.7) << static_cast<int>(place) << " at " << ctx_len;
    }
  }
}

TEST(HeavyKeys, ThatHaveNoPlaceAreLeftOut) {
  Scenario s = core_scenario();
  s.problem.ctx_len = {1};
  s.problem.data.heavy = {
      HeavyKey{HeavyPlace::shard_first, 0, 1, 0.5}};  // rank 1 owns no prompt key
  EXPECT_EQ(weights_of(s, 0).size(), 2u);
}

TEST(ConstantFamily, RepeatsTheLatentPartOnly) {
  Scenario s = core_scenario();
  s.problem.data.family = Family::constant;
  const RopeTable rope = resolve_rope(s.problem);
  const CoreValues values(s, rope);
  std::vector<double> a(64), b(64);
  values.latent({0, 3}, 3, a);
  values.latent({0, 77}, 77, b);
  EXPECT_TRUE(std::equal(a.begin(), a.begin() + 48, b.begin()));
  EXPECT_FALSE(std::equal(a.begin() + 48, a.end(), b.begin() + 48));
}

TEST(ShardConstantFamily, GivesEveryKeyOfARankItsPowerOfTwo) {
  Scenario s = core_scenario();
  s.problem.num_heads = 10;
  s.problem.data.family = Family::shard_constant;
  s.problem.ctx_len = {57, 3};
  s.problem.kv_cache_dtype = Dtype::fp8_e4m3;
  s.problem.kv_scale = 0.25;
  s.layout.kvp = 10;
  s.layout.ownership = Ownership::interleaved;
  s.layout.decode_owner = DecodeOwner::restarted;
  s.script = {Step{StepKind::join, {}, {}}, Step{StepKind::fork, {0}, {}},
              Step{StepKind::decode, {}, {2, 2, 2}}};
  validate(s);
  const RopeTable rope = resolve_rope(s.problem);
  const CoreValues values(s, rope);
  std::vector<double> row(64), other(64);
  const auto expect_rank = [&](Token token, std::int64_t index, std::int64_t rank) {
    values.latent(token, index, row);
    for (std::size_t j = 0; j < 48; ++j) ASSERT_EQ(row[j], 0.25 * std::exp2(rank % 8)) << index;
  };
  for (std::int64_t t = 0; t < 57; ++t) expect_rank({0, t}, t, t % 10);
  expect_rank({0, 58}, 58, 1);
  expect_rank({1, 3}, 3, 0);
  expect_rank({2, 1}, 58, 1);  // the fork's second own token
  values.latent({0, 8}, 8, other);
  EXPECT_FALSE(std::equal(row.begin() + 48, row.end(), other.begin() + 48));
  double spread = 0;
  for (const double weight : weights_of(s, 0)) spread = std::max(spread, weight);
  EXPECT_GT(spread, 2.0 / 58) << "scores vary";
}

TEST(RopedGain, MultipliesTheRopedPartOfKeysOnly) {
  for (const Family family : {Family::uniform, Family::constant, Family::shard_constant}) {
    Scenario s = core_scenario();
    s.problem.data.family = family;
    const RopeTable rope = resolve_rope(s.problem);
    std::vector<double> plain(64), gained(64), query(64), same(64);
    CoreValues(s, rope).latent({0, 5}, 5, plain);
    CoreValues(s, rope).query(first_row(0, 200), 1, query);
    s.problem.data.k_pe_gain = 64;
    CoreValues(s, rope).latent({0, 5}, 5, gained);
    CoreValues(s, rope).query(first_row(0, 200), 1, same);
    EXPECT_EQ(query, same);
    for (std::size_t j = 0; j < 64; ++j) {
      EXPECT_EQ(gained[j], (j < 48 ? 1 : 64) * plain[j]) << j;
    }
  }
}

// Mean score of each rank's keys under one head, from stored values.
std::vector<double> mean_scores(const Scenario& s) {
  const std::vector<double> weights = weights_of(s, 2);
  std::vector<double> sums(static_cast<std::size_t>(s.layout.kvp)), counts(sums.size());
  for (std::size_t t = 0; t < weights.size(); ++t) {
    const auto rank = static_cast<std::size_t>(
        owner_of(s.layout, static_cast<std::int64_t>(t), s.problem.ctx_len[0]));
    sums[rank] += std::log(weights[t]);
    counts[rank] += 1;
  }
  for (std::size_t r = 0; r < sums.size(); ++r) sums[r] /= counts[r];
  return sums;
}

TEST(LseGap, SeparatesRanksByItsNats) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const double gap : {-100.0, -2.0, 30.0, 100.0}) {
      Scenario s = core_scenario();
      s.problem.dtype = s.problem.kv_cache_dtype = dtype;
      s.problem.data.logit_gain = 0.01;  // scores without the gap are all but equal
      s.problem.data.lse_gap = gap;
      s.layout.kvp = 4;
      validate(s);
      const std::vector<double> means = mean_scores(s);
      for (std::size_t r = 1; r < 4; ++r) {
        EXPECT_NEAR((means[r] - means[0]) / (gap * static_cast<double>(r)), 1, 0.02) << gap;
      }
    }
  }
}

TEST(EqualRequests, DrawWhatRequestZeroDraws) {
  for (const Family family : {Family::uniform, Family::constant, Family::integers}) {
    Scenario s = core_scenario();
    s.problem.ctx_len = {200, 90};
    s.problem.data.family = family;
    const RopeTable rope = resolve_rope(s.problem);
    for (const bool equal : {true, false}) {
      s.problem.data.equal_requests = equal;
      const CoreValues values(s, rope);
      std::vector<double> a(64), b(64), q(64), r(64);
      values.latent({0, 91}, 91, a);
      values.latent({1, 91}, 91, b);
      values.query(Row{0, 0, 91, {0, 91}}, 3, q);
      values.query(Row{1, 1, 91, {1, 91}}, 3, r);
      EXPECT_EQ(a == b, equal);
      EXPECT_EQ(q == r, equal);
    }
  }
}

TEST(IntegerFamily, DrawsSmallIntegers) {
  Scenario s = core_scenario();
  s.problem.data.family = Family::integers;
  const RopeTable rope = resolve_rope(s.problem);
  const CoreValues values(s, rope);
  std::vector<double> row(64), seen(5, 0);
  for (std::int64_t t = 0; t < 50; ++t) {
    values.latent({0, t}, t, row);
    for (const double value : row) {
      ASSERT_EQ(value, std::round(value));
      ASSERT_LE(std::abs(value), 2);
      seen[static_cast<std::size_t>(value + 2)] += 1;
    }
  }
  for (const double count : seen) EXPECT_NEAR(count / 3200, 0.2, 0.04);
}

TEST(OneHotFamily, LeavesOneKeyWithAllTheMass) {
  Scenario s = core_scenario();
  s.problem.data.family = Family::one_hot;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    s.problem.data.seed = seed;
    for (const std::int64_t head : {0, 3}) {
      int hot = 0;
      for (const double weight : weights_of(s, head)) {
        hot += weight == 1.0;
        EXPECT_TRUE(weight == 1.0 || weight < 1e-45) << weight;
      }
      EXPECT_EQ(hot, 1);
    }
  }
}

// Every shard's prompt keys cancel exactly, whatever the layout and the length.
TEST(NullFamily, CancelsOnEveryShard) {
  for (const Ownership ownership :
       {Ownership::contiguous, Ownership::contiguous_blocks, Ownership::interleaved}) {
    for (const std::int64_t kvp : {1, 2, 3}) {
      for (const std::int64_t ctx_len : {0, 1, 2, 7, 50, 51}) {
        Scenario s = core_scenario();
        s.problem.data.family = Family::null_test;
        s.problem.ctx_len = {ctx_len};
        s.layout.ownership = ownership;
        s.layout.kvp = kvp;
        s.layout.interleave = 3;
        const RopeTable rope = resolve_rope(s.problem);
        const CoreValues values(s, rope);
        std::vector<std::vector<double>> sums(static_cast<std::size_t>(kvp),
                                              std::vector<double>(48, 0.0));
        std::int64_t zero_rows = 0;
        std::vector<double> row(64);
        for (std::int64_t t = 0; t <= ctx_len; ++t) {
          values.latent({0, t}, t, row);
          const auto owner = static_cast<std::size_t>(owner_of(s.layout, t, ctx_len));
          for (std::size_t j = 0; j < 48; ++j) sums[owner][j] += row[j];
          zero_rows += row[0] == 0;
          EXPECT_TRUE(std::all_of(row.begin() + 48, row.end(), [](double x) { return x == 0; }));
        }
        for (const auto& sum : sums) EXPECT_EQ(sum, std::vector<double>(48, 0.0));
        EXPECT_LE(zero_rows, kvp + 1) << "only unpaired keys and the new one are zero";
      }
    }
  }
}

}  // namespace
}  // namespace helixcheck
