// Each bound against fp32 arithmetic carried out in unkind orders on many draws: it must hold
// always, and not be wider than the worst error by more than a stated factor.

#include "verdict/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

using Values = std::vector<double>;

// Largest error / bound over the draws of a test. `narrowest`: it must reach this share of the
// bound.
class Ratios {
 public:
  void add(double error, double bound) {
    ASSERT_LE(std::abs(error), bound);
    if (bound > 0) worst_ = std::max(worst_, std::abs(error) / bound);
  }
  void expect_at_least(double narrowest) const { EXPECT_GE(worst_, narrowest); }

 private:
  double worst_ = 0;
};

double norm(const Values& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

double exact_dot(const Values& x, const Values& w) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * w[i];
  return sum;
}

double truncated(double x) {  // to fp32, toward zero
  const float nearest = static_cast<float>(x);
  return std::abs(static_cast<double>(nearest)) > std::abs(x) ? std::nextafterf(nearest, 0.0f)
                                                              : nearest;
}

// Products of one sign first: partial sums grow as large as they can before they cancel.
void sort_unkindly(Values& x, Values& w) {
  std::vector<std::pair<double, double>> terms;
  for (std::size_t i = 0; i < x.size(); ++i) terms.push_back({x[i], w[i]});
  std::sort(terms.begin(), terms.end(),
            [](const auto& a, const auto& b) { return a.first * a.second > b.first * b.second; });
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = terms[i].first;
    w[i] = terms[i].second;
  }
}

TEST(Bounds, LinearHoldsInAnyOrder) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  Contract sequential = find_contract("cpu"), truncating = find_contract("unknown");
  sequential.block = 1;
  Ratios plain, lanes, cut;
  for (int draw = 0; draw < 3000; ++draw) {
    const std::size_t n = 1 + static_cast<std::size_t>(draw % 200);
    const double offset = draw % 3;  // 0: cancelling terms, else terms of one sign
    Values x(n), w(n);
    for (double& v : x) v = round_to(Dtype::bf16, normal(random) + offset);
    for (double& v : w) v = round_to(Dtype::bf16, normal(random) + offset);
    if (draw % 2 == 0) sort_unkindly(x, w);
    const double size = norm(x) * norm(w), exact = exact_dot(x, w);
    float sum = 0, lane[8] = {};
    double low = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += static_cast<float>(x[i]) * static_cast<float>(w[i]);
      lane[i % 8] += static_cast<float>(x[i]) * static_cast<float>(w[i]);
      low = truncated(low + x[i] * w[i]);
    }
    const float joined =
        ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    const auto terms = static_cast<std::int64_t>(n);
    const double floor = bounds::underflow(terms);
    plain.add(sum - exact, bounds::linear_factor(sequential, Dtype::bf16, terms) * size + floor);
    lanes.add(joined - exact,
              bounds::linear_factor(find_contract("cpu"), Dtype::bf16, terms) * size + floor);
    cut.add(low - exact, bounds::linear_factor(truncating, Dtype::bf16, terms) * size + floor);
  }
  plain.expect_at_least(0.05);
  lanes.expect_at_least(0.05);
  cut.expect_at_least(0.04);
}

TEST(Bounds, RmsNorm) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> uniform(0.5, 1.0);
  Ratios ratios;
  for (int draw = 0; draw < 3000; ++draw) {
    const std::size_t n = 1 + static_cast<std::size_t>(draw % 150);
    const double size = draw % 2 == 0 ? uniform(random) : 1;
    Values x(n);
    for (double& v : x) v = static_cast<float>(draw % 2 == 0 ? size : uniform(random));
    float squares = 0;
    double exact = 0;
    for (const double v : x) {
      squares += static_cast<float>(v) * static_cast<float>(v);
      exact += v * v;
    }
    const double eps = 1e-6, weight = static_cast<float>(uniform(random));
    const float mean = squares / static_cast<float>(n);
    const float inverse = 1.0f / std::sqrt(mean + static_cast<float>(eps));
    const float got = static_cast<float>(x[0]) * inverse * static_cast<float>(weight);
    const double want = x[0] * weight / std::sqrt(exact / static_cast<double>(n) + eps);
    ratios.add(got - want,
               std::abs(want) * bounds::rms_norm_factor(find_contract("cpu"), Dtype::bf16,
                                                        static_cast<std::int64_t>(n)));
  }
  ratios.expect_at_least(0.1);
}

TEST(Bounds, RopeWithAnglesInEitherPrecision) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  Ratios wide, narrow;
  for (int draw = 0; draw < 5000; ++draw) {
    const auto position = static_cast<std::int64_t>(random() % 2000000);
    const double frequency = std::pow(10000.0, -static_cast<double>(draw % 32) / 32);
    const float a = static_cast<float>(normal(random)), b = static_cast<float>(normal(random));
    const double exact = static_cast<double>(position) * frequency;
    const double want = a * std::cos(exact) - b * std::sin(exact);
    const float c = static_cast<float>(std::cos(exact)), s = static_cast<float>(std::sin(exact));
    const double size = std::abs(a) + std::abs(b);
    wide.add(a * c - b * s - want,
             size * bounds::rope_factor(find_contract("cpu"), position, frequency, 1.0));
    const float angle = static_cast<float>(position) * static_cast<float>(frequency);
    const float turned = a * std::cos(angle) - b * std::sin(angle);
    narrow.add(turned - want,
               size * bounds::rope_factor(find_contract("trtllm"), position, frequency, 1.0));
  }
  wide.expect_at_least(0.3);
  narrow.expect_at_least(0.05);
}

TEST(Bounds, CacheValuesDividedOrMultiplied) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  Ratios ratios;
  for (int draw = 0; draw < 5000; ++draw) {
    const double x = round_to(Dtype::bf16, normal(random)), scale = std::abs(normal(random)) + 0.01;
    const auto narrow = static_cast<float>(scale);
    const double bound = bounds::cache_value(x, scale);
    ratios.add(static_cast<float>(x) / narrow - x / scale, bound);
    ratios.add(static_cast<float>(x) * (1.0f / narrow) - x / scale, bound);
  }
  ratios.expect_at_least(0.3);
  EXPECT_EQ(bounds::cache_value(3.0, 0.25), 0);
}

TEST(Bounds, AllReduce) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  Ratios wide, narrow;
  for (int draw = 0; draw < 5000; ++draw) {
    const int ranks = 1 + draw % 16;
    float sum = 0;
    double exact = 0, size = 0, low = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const double y = round_to(Dtype::bf16, normal(random) + 1);
      sum += static_cast<float>(y);
      low =
          rank + 1 < ranks ? round_to(Dtype::bf16, low + y) : low + y;  // the last store is judged
      exact += y;
      size += std::abs(y);
    }
    wide.add(sum - exact,
             size * bounds::all_reduce_factor(find_contract("cpu"), Dtype::bf16, ranks));
    narrow.add(low - exact,
               size * bounds::all_reduce_factor(find_contract("trtllm"), Dtype::bf16, ranks));
  }
  wide.expect_at_least(0.0);  // bf16 values add without error here
  narrow.expect_at_least(0.15);
}

// A merge in fp32, as kernels do it; the statistics may be converted on the way in.
struct Merged {
  double o, lse;
};
Merged merge_fp32(const Values& x, const Values& lse, bool from_log2) {
  std::vector<float> natural;
  for (const double v : lse) {
    natural.push_back(from_log2 ? static_cast<float>(v * 1.4426950408889634) * 0.693147181f
                                : static_cast<float>(v));
  }
  const float top = *std::max_element(natural.begin(), natural.end());
  float total = 0, sum = 0;
  for (std::size_t p = 0; p < x.size(); ++p) {
    const float weight = std::exp(natural[p] - top);
    total += weight;
    sum += weight * static_cast<float>(x[p]);
  }
  return {sum / total, top + std::log(total)};
}

TEST(Bounds, MergeOfFewAndManyParts) {
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  Ratios value, lse_ratio;
  for (int draw = 0; draw < 20000; ++draw) {
    const std::size_t parts = 1 + static_cast<std::size_t>(draw % 64);
    const bool from_log2 = draw % 2 == 0;
    Values x(parts), lse(parts);
    bounds::MergeFacts facts;
    facts.parts = static_cast<std::int64_t>(parts);
    facts.form = from_log2 ? LseForm::log2 : LseForm::ln;
    double top = -1e300, bottom = 1e300, total = 0, o = 0, magnitude = 0, spread = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      x[p] = round_to(Dtype::bf16, normal(random));
      lse[p] = static_cast<float>(normal(random) * (draw % 3) + (draw % 5) * 20);
      top = std::max(top, lse[p]);
      bottom = std::min(bottom, lse[p]);
      facts.max_size = std::max(facts.max_size, std::abs(lse[p]));
    }
    for (const double v : lse) total += std::exp(v - top);
    for (std::size_t p = 0; p < parts; ++p) o += std::exp(lse[p] - top) / total * x[p];
    for (std::size_t p = 0; p < parts; ++p) {
      const double weight = std::exp(lse[p] - top) / total;
      magnitude += weight * std::abs(x[p]);
      spread += weight * std::abs(x[p] - o);
    }
    facts.gap = top - bottom;
    facts.lse = top + std::log(total);
    const bounds::MergeBound bound = bounds::merge(find_contract("cpu"), facts);
    const Merged got = merge_fp32(x, lse, from_log2);
    value.add(got.o - o, bound.magnitude * magnitude + bound.spread * spread);
    lse_ratio.add(got.lse - facts.lse, bound.lse + half_ulp(Dtype::fp32, facts.lse));
  }
  value.expect_at_least(0.1);
  lse_ratio.expect_at_least(0.1);
}

}  // namespace
}  // namespace helixcheck
