// Empty partials have LSE -inf and are left out of every sum.

#include "property/partial_lanes.hpp"

#include <cmath>

#include "mla/formats.hpp"

namespace helixcheck {

// A natural LSE written base 2 is rounded with its factor and as a product; as (max, sum) once in
// the maximum and once, with the exponential, in the sum.
PartialLanes::PartialLanes(const Partials& partials, LseForm form)
    : form_(form),
      dtype_(partials.o.dtype),
      parts_(partials.o.shape[0]),
      lanes_(partials.o.shape[1] * partials.o.shape[2]),
      latent_(static_cast<std::size_t>(partials.o.shape[3])),
      o_(widen(partials.o)),
      error_(o_.size()),
      lse_(widen(partials.lse)),
      lse_error_(lse_.size()) {
  gauge_ = lse_;
  for (std::size_t i = 0; i < lse_.size(); ++i) {
    if (!std::isfinite(lse_[i])) continue;
    if (form == LseForm::log2) lse_error_[i] = 0x1.04p-23 * std::abs(lse_[i]);
    if (form != LseForm::max_sum || partials.gauge.empty()) continue;
    gauge_[i] = lse_[i] - static_cast<double>(partials.gauge[i]);
    lse_error_[i] = half_ulp(Dtype::fp32, gauge_[i]) + 0x1p-22;
  }
}

std::int64_t PartialLanes::holding(std::int64_t lane) const {
  std::int64_t count = 0;
  for (std::int64_t part = 0; part < parts_; ++part) count += !std::isinf(lse_[at(part, lane)]);
  return count;
}

bounds::SpanResult PartialLanes::merge(const Contract& contract, std::int64_t lane,
                                       std::span<double> o, std::span<double> error) const {
  std::vector<bounds::SpanPart> parts;
  for (std::int64_t part = 0; part < parts_; ++part) {
    const std::size_t i = at(part, lane);
    if (std::isinf(lse_[i])) continue;
    parts.push_back({lse_[i],
                     lse_error_[i],
                     gauge_[i],
                     {o_.data() + i * latent_, latent_},
                     {error_.data() + i * latent_, latent_}});
  }
  return bounds::merged(contract, {form_, dtype_}, parts_, parts, o, error);
}

void PartialLanes::replace(std::int64_t part, std::int64_t lane, const bounds::SpanResult& lse,
                           std::span<const double> o, std::span<const double> error) {
  const std::size_t i = at(part, lane);
  lse_error_[i] += lse.lse_error;
  lse_[i] = gauge_[i] = lse.lse;
  std::copy(o.begin(), o.end(), o_.begin() + static_cast<std::ptrdiff_t>(i * latent_));
  std::copy(error.begin(), error.end(), error_.begin() + static_cast<std::ptrdiff_t>(i * latent_));
}

void PartialLanes::shift(double shift) {
  for (std::size_t i = 0; i < lse_.size(); ++i) {
    if (!std::isfinite(lse_[i])) continue;
    gauge_[i] += shift;
    lse_[i] += shift;
    lse_error_[i] += half_ulp(Dtype::fp32, lse_[i]) + 0x1p-23 * std::abs(shift);
  }
}

}  // namespace helixcheck
