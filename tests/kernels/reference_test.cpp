// The fp64 stages on the GPU against those of mla/stages.hpp: linear layers and attention.

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "kernels/accelerated.hpp"
#include "mla/formats.hpp"
#include "mla/row_source.hpp"
#include "mla/stages.hpp"
#include "verdict/linear_maps.hpp"

namespace helixcheck {
namespace {

using stages::AttendResult;

constexpr double kAgreement = 1e-12;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> random_values(std::int64_t n, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> draw(-1, 1);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) value = draw(engine);
  return values;
}

std::vector<std::byte> encoded(Dtype dtype, const std::vector<double>& values) {
  std::vector<std::byte> codes(values.size() * size_of(dtype));
  encode_from(dtype, std::span<const double>(values), codes.data());
  return codes;
}

// Equal NaNs and infinities, or within `allowed`.
bool near(double a, double b, double allowed) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= allowed;
}

class Linear : public Accelerated {
 protected:
  // Both ways to compute one layer, and the sum of magnitudes of each value.
  void expect_agreement(Dtype dtype, bool turned, std::int64_t rows, std::int64_t in,
                        std::int64_t out) {
    const std::vector<std::byte> codes = encoded(dtype, random_values(in * out, 1));
    const RowSource w(dtype, codes.data(), turned ? out : in);
    const std::vector<double> x = random_values(rows * in, 2);
    const LinearMap map{w, turned, out, in, {}};
    std::vector<double> want(static_cast<std::size_t>(rows * out)), got(want.size());
    map.apply(x, rows, want);
    accelerator().multiply({rows, in, out, dtype, codes.data(), turned}, x, got);
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(got[i], want[i], kAgreement * static_cast<double>(in)) << i;
    }
  }
};

TEST_F(Linear, AgreesInEveryFormatAndDirection) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    for (const bool turned : {false, true}) {
      expect_agreement(dtype, turned, 5, 123, 77);
      accelerator().forget();  // the next codes may lie at the same address
      expect_agreement(dtype, turned, 1, 1, 1);
      accelerator().forget();
      expect_agreement(dtype, turned, 16, 512, 300);
      accelerator().forget();
    }
  }
}

TEST_F(Linear, ForgetsWhatItKept) {
  std::vector<std::byte> codes = encoded(Dtype::bf16, {1.0});
  const std::vector<double> x{3.0};
  std::vector<double> y(1);
  accelerator().multiply({1, 1, 1, Dtype::bf16, codes.data(), false}, x, y);
  EXPECT_EQ(y[0], 3.0);
  encode_from(Dtype::bf16, std::span<const double>(std::vector<double>{2.0}), codes.data());
  accelerator().forget();
  accelerator().multiply({1, 1, 1, Dtype::bf16, codes.data(), false}, x, y);
  EXPECT_EQ(y[0], 6.0);
}

TEST_F(Linear, LayersOfTheJudgeChooseByTheirSize) {
  const std::int64_t rows = 128, in = 1024, out = 1200;  // 3.1e8 operations
  const std::vector<std::byte> codes = encoded(Dtype::bf16, random_values(in * out, 3));
  const LinearMap map{RowSource(Dtype::bf16, codes.data(), in), false, out, in, {}};
  const std::vector<double> x = random_values(rows * in, 4);
  std::vector<double> want(static_cast<std::size_t>(rows * out)), got(want.size());
  map.apply(x, rows, want);
  map.apply(x, rows, got, &accelerator());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], kAgreement * static_cast<double>(in));
  }
}

struct Case {
  std::int64_t heads = 3, latent = 40, rope = 8;
  Dtype dtype = Dtype::bf16;
  double scale = 1, softmax_scale = 0.3;
  std::vector<std::int64_t> visible;
  std::int64_t width() const { return latent + rope; }
};

class Attend : public Accelerated {
 protected:
  using Spoil = std::function<void(std::vector<double>& keys, std::vector<double>& q)>;

  AttendResult both(const Case& c, AttendResult& want, const Spoil& spoil = {}) {
    const auto rows = static_cast<std::int64_t>(c.visible.size());
    std::int64_t longest = 0;
    for (const std::int64_t n : c.visible) longest = std::max(longest, n);
    std::vector<double> keys = random_values(longest * c.width(), 5);
    std::vector<double> q = random_values(rows * c.heads * c.width(), 6);
    if (spoil) spoil(keys, q);
    const std::vector<std::byte> codes = encoded(c.dtype, keys);
    const stages::CacheRows cache{c.dtype, c.scale, codes.data()};
    want = stages::attend(q, cache, c.visible, c.heads, c.latent, c.rope, c.softmax_scale);
    return accelerator().attend(q, cache, c.visible, c.heads, c.latent, c.rope, c.softmax_scale);
  }

  void expect_agreement(const Case& c, const Spoil& spoil = {}) {
    AttendResult want;
    const AttendResult got = both(c, want, spoil);
    ASSERT_EQ(got.heads.size(), want.heads.size());
    ASSERT_EQ(got.o.size(), want.o.size());
    ASSERT_EQ(got.square.size(), want.square.size());
    ASSERT_EQ(got.sum_abs_v.size(), want.sum_abs_v.size());
    for (std::size_t i = 0; i < want.heads.size(); ++i) {
      const stages::AttendHead &g = got.heads[i], &w = want.heads[i];
      const double size = kAgreement * (1 + w.score_scale);
      EXPECT_TRUE(near(g.lse, w.lse, size)) << i << ": " << g.lse << ", " << w.lse;
      EXPECT_TRUE(near(g.max_score, w.max_score, size)) << i;
      EXPECT_TRUE(near(g.inv_n_eff, w.inv_n_eff, 4 * size * w.inv_n_eff)) << i;
      EXPECT_TRUE(near(g.score_scale, w.score_scale, kAgreement * w.score_scale)) << i;
      EXPECT_EQ(g.max_abs_key, w.max_abs_key) << i;
      for (std::size_t j = i * static_cast<std::size_t>(c.latent);
           j < (i + 1) * static_cast<std::size_t>(c.latent); ++j) {
        const double largest = std::isfinite(w.max_abs_key) ? w.max_abs_key : 1;
        ASSERT_TRUE(near(got.o[j], want.o[j], size * largest)) << j;
        ASSERT_TRUE(near(got.square[j], want.square[j], size * largest * largest)) << j;
      }
    }
    for (std::size_t j = 0; j < want.sum_abs_v.size(); ++j) {
      ASSERT_TRUE(near(got.sum_abs_v[j], want.sum_abs_v[j], kAgreement * want.sum_abs_v[j])) << j;
    }
  }
};

TEST_F(Attend, AgreesInEveryFormat) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    Case c;
    c.dtype = dtype;
    c.scale = dtype == Dtype::fp8_e4m3 ? 0.37 : 1;
    c.visible = {1000};
    expect_agreement(c);
  }
}

TEST_F(Attend, RowsSeeDifferentPrefixes) {
  Case c;
  c.visible = {500, 503, 0, 17, 503, 501, 1};
  expect_agreement(c);
  c.visible = {0, 0};
  expect_agreement(c);
  c.visible = {1};
  expect_agreement(c);
}

TEST_F(Attend, ListsLongerThanAChunk) {
  Case c;
  c.heads = 2;
  c.latent = 16;
  c.rope = 4;
  c.visible = {150000, 149998, 65536};
  expect_agreement(c);
  c.softmax_scale = 40;  // maxima differ from chunk to chunk
  expect_agreement(c);
}

TEST_F(Attend, WhatARowDoesNotSeeHasNoInfluence) {
  Case c;
  c.visible = {300, 299, 310};
  for (const double value : {kNan, kInfinity, -kInfinity}) {
    expect_agreement(c, [&](std::vector<double>& keys, std::vector<double>&) {
      keys[static_cast<std::size_t>(300 * c.width() + 3)] = value;  // seen by the last row only
    });
  }
}

TEST_F(Attend, NanAndInfinityReachTheResults) {
  Case c;
  c.visible = {200, 100};
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    c.dtype = dtype;
    for (const double value : {kNan, kInfinity, -kInfinity}) {
      for (const std::int64_t element : {std::int64_t{3}, c.latent + 1}) {
        expect_agreement(c, [&](std::vector<double>& keys, std::vector<double>&) {
          keys[static_cast<std::size_t>(120 * c.width() + element)] = value;
        });
      }
    }
  }
  AttendResult want;
  const AttendResult got = both(c, want, [&](std::vector<double>& keys, std::vector<double>&) {
    keys[static_cast<std::size_t>(120 * c.width())] = kNan;
  });
  EXPECT_TRUE(std::isnan(got.o[0]));
  EXPECT_TRUE(std::isnan(got.heads[0].lse));
  EXPECT_TRUE(std::isfinite(got.o.back()));
}

TEST_F(Attend, ScoresOfMinusInfinityAlone) {
  Case c;
  c.dtype = Dtype::fp32;
  c.rope = 1;
  c.visible = {70000, 3, 66000};
  const auto all_below = [&](std::int64_t first, std::int64_t end) {
    return [&c, first, end](std::vector<double>& keys, std::vector<double>& q) {
      for (std::size_t a = 0; a < q.size(); a += static_cast<std::size_t>(c.width())) {
        q[a + static_cast<std::size_t>(c.latent)] = 1;  // of the roped part
      }
      for (std::int64_t t = first; t < end; ++t) {
        keys[static_cast<std::size_t>(t * c.width() + c.latent)] = -kInfinity;
      }
    };
  };
  expect_agreement(c, all_below(0, 70000));
  expect_agreement(c, all_below(0, 66500));  // a whole chunk has no weight
  expect_agreement(c, all_below(2, 70000));
}

TEST_F(Attend, OneHotIsExact) {
  Case c;
  c.heads = 1;
  c.latent = 24;
  c.visible = {140000};
  AttendResult want;
  for (const std::int64_t hot : {std::int64_t{0}, std::int64_t{70000}, std::int64_t{139999}}) {
    const AttendResult got = both(c, want, [&](std::vector<double>& keys, std::vector<double>& q) {
      std::fill(q.begin(), q.end(), 0.0);
      q.back() = 1024 / c.softmax_scale;
      for (std::size_t i = static_cast<std::size_t>(c.width()) - 1; i < keys.size();
           i += static_cast<std::size_t>(c.width())) {
        keys[i] = 0;
      }
      keys[static_cast<std::size_t>((hot + 1) * c.width() - 1)] = 1;
    });
    EXPECT_EQ(got.heads[0].inv_n_eff, 1.0);
    for (std::size_t j = 0; j < want.o.size(); ++j) EXPECT_EQ(got.o[j], want.o[j]);
  }
}

TEST_F(Attend, EqualWeightsAreExact) {
  Case c;
  c.visible = {4096, 4095};
  AttendResult want;
  const AttendResult got = both(c, want, [](std::vector<double>& keys, std::vector<double>& q) {
    std::fill(q.begin(), q.end(), 0.0);
    for (double& key : keys) key = key < 0 ? -1 : 1;
  });
  for (std::size_t j = 0; j < want.o.size(); ++j) EXPECT_EQ(got.o[j], want.o[j]);
  EXPECT_EQ(got.heads[0].score_scale, 0.0);
  EXPECT_EQ(got.sum_abs_v, want.sum_abs_v);
}

}  // namespace
}  // namespace helixcheck
