// Faults of arithmetic: what they lose grows with lengths, spreads and sizes, and is seen once it
// is more than correct arithmetic may lose. They compute in fp64 but for the planted loss.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include "fault_site.hpp"
#include "mla/formats.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// x with its last bits left out by rounding: `bits` may be a fraction, for tuning.
double rounded(double x, double bits) {
  if (x == 0 || !std::isfinite(x)) return x;
  const double unit = std::exp2(std::floor(std::log2(std::abs(x))) - bits);
  if (unit == 0) return x;
  return std::nearbyint(x / unit) * unit;
}

// How one lane's attention may go wrong. The correct one.
struct Arithmetic {
  double threshold;
  double score(double scaled) const { return scaled; }
  double reference(const std::vector<double>& scores) const {  // what is subtracted
    return *std::max_element(scores.begin(), scores.end());
  }
  double weight(double score, double reference) const { return std::exp(score - reference); }
  double add(double sum, double weight) const { return sum + weight; }
  double base_two(double lse) const { return lse * std::numbers::log2e; }
};

template <typename Faulty>
class Attention {
 public:
  explicit Attention(FaultSite& site)
      : step_(site.step),
        faulty_{{site.threshold}},
        latent_(step_.model->kv_lora_rank),
        width_(latent_ + step_.model->qk_rope_head_dim) {}

  void run() {
    std::int64_t row = 0;
    for (std::int64_t r = 0; r < step_.request_count; ++r) {
      const std::int64_t rows = step_.requests[r].query_tokens;
      if (rows > 0) load_keys(r, int_at(step_.visible, row + rows - 1));
      for (std::int64_t i = 0; i < rows; ++i, ++row) {
        for (std::int64_t head = 0; head < step_.place->heads; ++head) attend(row, head);
      }
    }
  }

 private:
  double* key(std::int64_t i) { return keys_.data() + i * width_; }

  void load_keys(std::int64_t request, std::int64_t count) {
    keys_.resize(static_cast<std::size_t>(count * width_));
    const std::int64_t page = step_.place->tokens_per_block;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t id = int_at(step_.block_table, request, i / page);
      decode_to(dtype_of(step_.cache), at(step_.cache, id, i % page),
                std::span(key(i), static_cast<std::size_t>(width_)));
    }
    for (double& value : keys_) value *= step_.model->kv_scale;
  }

  void attend(std::int64_t row, std::int64_t head) {
    const std::int64_t keys = int_at(step_.visible, row);
    if (keys == 0) return;
    query_.resize(static_cast<std::size_t>(width_));
    decode_to(dtype_of(step_.q), at(step_.q, row, head), std::span(query_));
    scores_.assign(static_cast<std::size_t>(keys), 0);
    for (std::int64_t i = 0; i < keys; ++i) {
      double& score = scores_[static_cast<std::size_t>(i)];
      for (std::int64_t d = 0; d < width_; ++d) {
        score += query_[static_cast<std::size_t>(d)] * key(i)[d];
      }
      score = faulty_.score(score * step_.model->softmax_scale);
    }
    const double reference = faulty_.reference(scores_);
    double total = 0;
    values_.assign(static_cast<std::size_t>(latent_), 0);
    for (std::int64_t i = 0; i < keys; ++i) {
      const double weight = faulty_.weight(scores_[static_cast<std::size_t>(i)], reference);
      total = faulty_.add(total, weight);
      for (std::int64_t d = 0; d < latent_; ++d) {
        values_[static_cast<std::size_t>(d)] += weight * key(i)[d];
      }
    }
    for (double& value : values_) value /= total;
    encode_from(dtype_of(step_.partial_o), std::span<const double>(values_),
                at(step_.partial_o, row, head));
    store_statistics(row, head, reference, total);
  }

  void store_statistics(std::int64_t row, std::int64_t head, double reference, double total) {
    const double lse = reference + std::log(total);
    float* to = &float_at(step_.lse, row, head);
    switch (step_.place->lse_form) {
      case HXC_LSE_LN: *to = static_cast<float>(lse); break;
      case HXC_LSE_LOG2: *to = static_cast<float>(faulty_.base_two(lse)); break;
      default:
        *to = static_cast<float>(reference);
        to[step_.lse.stride[2]] = static_cast<float>(std::exp(lse - *to));
    }
  }

  const hxc_step& step_;
  const Faulty faulty_;
  const std::int64_t latent_, width_;
  std::vector<double> keys_, query_, scores_, values_;
};

template <typename Faulty>
void attend(FaultSite& site) {
  Attention<Faulty>(site).run();
}

// A softmax scale with a wrong last digit.
struct ScaleDigit : Arithmetic {
  double score(double scaled) const { return scaled * (1 + threshold); }
};

// exp through exp2, with a factor log2(e) of too few digits: wrong in proportion to the gap.
struct ShortFactor : Arithmetic {
  double weight(double score, double reference) const {
    return std::exp((score - reference) * (1 + threshold));
  }
};

// A row sum in a short accumulator: what is below its last bit vanishes.
struct ShortSum : Arithmetic {
  double add(double sum, double weight) const { return rounded(sum + weight, threshold); }
};

// Statistics of base 2 are converted in a shorter format.
struct ShortStatistics : Arithmetic {
  double base_two(double lse) const { return rounded(lse * std::numbers::log2e, threshold); }
};

// Scores in a format that ends too early.
struct ScoreCeiling : Arithmetic {
  double score(double scaled) const { return std::clamp(scaled, -threshold, threshold); }
};

// How the merge of partials may go wrong. The correct one.
struct Merging {
  double threshold;
  double weight(double gap) const { return std::exp(-gap); }
};

double natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row, std::int64_t head) {
  const double value = float_at(step.exchanged_lse, part, row, head);
  switch (step.place->lse_form) {
    case HXC_LSE_LN: return value;
    case HXC_LSE_LOG2: return value * std::numbers::ln2;
    default:
      return value == -kInfinity ? value
                                 : value + std::log(static_cast<double>(
                                               float_at(step.exchanged_lse, part, row, head, 1)));
  }
}

template <typename Faulty>
class Merge {
 public:
  explicit Merge(FaultSite& site) : step_(site.step), faulty_{{site.threshold}} {}

  void run() {
    for (std::int64_t row = 0; row < step_.rows; ++row) {
      for (std::int64_t head = 0; head < step_.place->owned_heads; ++head) merge(row, head);
    }
  }

 private:
  void merge(std::int64_t row, std::int64_t head) {
    const std::int64_t parts = step_.exchanged.shape[0];
    double top = -kInfinity;
    for (std::int64_t p = 0; p < parts; ++p) {
      const double lse = natural_lse(step_, p, row, head);
      if (!(lse <= std::numeric_limits<double>::max())) return;  // the CPU subject's answer stands
      top = std::max(top, lse);
    }
    if (top == -kInfinity) return;
    const auto latent = static_cast<std::size_t>(step_.model->kv_lora_rank);
    sum_.assign(latent, 0);
    value_.resize(latent);
    double total = 0;
    for (std::int64_t p = 0; p < parts; ++p) {
      const double lse = natural_lse(step_, p, row, head);
      if (lse == -kInfinity) continue;
      const double weight = faulty_.weight(top - lse);
      if (weight == 0) continue;
      total += weight;
      decode_to(dtype_of(step_.exchanged), at(step_.exchanged, p, row, head), std::span(value_));
      for (std::size_t d = 0; d < latent; ++d) sum_[d] += weight * value_[d];
    }
    for (double& value : sum_) value /= total;
    encode_from(dtype_of(step_.combined), std::span<const double>(sum_),
                at(step_.combined, row, head));
    float_at(step_.combined_lse, row, head) = static_cast<float>(top + std::log(total));
  }

  const hxc_step& step_;
  const Faulty faulty_;
  std::vector<double> sum_, value_;
};

template <typename Faulty>
void merge(FaultSite& site) {
  Merge<Faulty>(site).run();
}

// Partials that hardly count are left out.
struct DroppedPartials : Merging {
  double weight(double gap) const {
    const double weight = std::exp(-gap);
    return weight < threshold ? 0 : weight;
  }
};

// Distances from the largest LSE in a shorter format: weights are the more wrong the further away.
struct ShortGap : Merging {
  double weight(double gap) const { return std::exp(-rounded(gap, threshold)); }
};

// An angle that has lost its last bits before it is reduced.
void short_angle(FaultSite& site) {
  const hxc_step& step = site.step;
  const hxc_model& model = *step.model;
  const std::int64_t pairs = model.qk_rope_head_dim / 2;
  const Dtype in = dtype_of(step.kv_c), out = dtype_of(step.latent);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    for (std::int64_t j = 0; j < pairs; ++j) {
      const std::int64_t a = model.kv_lora_rank + (model.rope_interleave ? 2 * j : j);
      const std::int64_t b = a + (model.rope_interleave ? 1 : pairs);
      const double x = decode(in, load_code(in, at(step.kv_c, row, a), 0));
      const double y = decode(in, load_code(in, at(step.kv_c, row, b), 0));
      const double angle = rounded(
          static_cast<double>(int_at(step.position, row)) * model.inv_freq[j], site.threshold);
      const double c = std::cos(angle) * model.cos_scale, s = std::sin(angle) * model.cos_scale;
      store_code(out, at(step.latent, row, a), 0, encode(out, x * c - y * s));
      store_code(out, at(step.latent, row, b), 0, encode(out, x * s + y * c));
    }
  }
}

}  // namespace

const FaultRule kNumericFaults[] = {
    {"scale_digit", "the softmax scale is wrong in its last digit", HXC_ATTEND, nullptr,
     attend<ScaleDigit>, 5.44e-7, true},
    {"short_factor", "exponentials are wrong in proportion to the distance from the maximum",
     HXC_ATTEND, nullptr, attend<ShortFactor>, 1.4e-6, true},
    {"short_sum", "the row sum is kept in too few bits", HXC_ATTEND, nullptr, attend<ShortSum>, 22,
     true},
    {"short_statistics", "LSEs of base 2 are converted in too few bits", HXC_ATTEND, nullptr,
     attend<ShortStatistics>, 20.7, true},
    {"score_ceiling", "scores are cut where their format ends", HXC_ATTEND, nullptr,
     attend<ScoreCeiling>, 5e4, true},
    {"dropped_partials", "partials of small weight are left out of the merge", HXC_COMBINE, nullptr,
     merge<DroppedPartials>, 1e-40, true},
    {"short_gap", "distances between LSEs are kept in too few bits", HXC_COMBINE, nullptr,
     merge<ShortGap>, 20.3, true},
    {"short_angle", "rotary angles are kept in too few bits", HXC_PROJECT, nullptr, short_angle, 40,
     true},
};
const std::size_t kNumericFaultCount = std::size(kNumericFaults);

}  // namespace helixcheck
