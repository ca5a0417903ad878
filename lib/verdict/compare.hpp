// The acceptance set, and the tally that keeps what one tap showed.
//
// A value that a subject stored in format F passes if the store of some number within `bound` of
// the wanted one could have left it: RN(want - bound) <= got <= RN(want + bound). With a small
// bound that is one code. Invariant: the reported ratio is above 1 exactly if the value was
// rejected.

#pragma once

#include <cstdint>
#include <span>

#include "mla/evidence.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

// NaN and infinities match only themselves, unless the format overflows within the bound.
bool accepts(Dtype format, double got, double want, double bound);

// |got - want| / (bound + half an ulp of `format` at want), clamped to the side of 1 that `accepts`
// decides. Infinite where got is NaN and want is not, and the like.
double error_ratio(Dtype format, double got, double want, double bound);

// What one tap showed, over a step or over a run.
class Tally {
 public:
  // `got` holds values of `format`; place.element counts up from first.element.
  void compare(Dtype format, std::span<const double> got, std::span<const double> want,
               std::span<const double> bound, const Place& first);
  void compare(Dtype format, double got, double want, double bound, const Place& place);

  // A value that was derived from stored ones: accepted within `bound` itself.
  void compare_derived(double got, double want, double bound, const Place& place);

  // Codes that must agree bit for bit.
  void compare_codes(Dtype format, const void* got, const void* want, std::int64_t count,
                     const Place& first);
  void compare_integer(std::int64_t got, std::int64_t want, const Place& place);

  // `count` more values, known to equal others of this tap that were compared.
  void count_equal(std::int64_t count) { values_ += count; }

  void absorb(const Tally& other);
  // Values that were compared elsewhere; `worst` is the place of the worst one among them.
  void absorb(const Evidence& seen, const Place& worst);

  bool empty() const { return values_ == 0; }
  bool failed() const { return result_.failures > 0; }
  TapResult result(Tap tap) const;

 private:
  template <typename Format>
  void compare_as(Dtype format, std::span<const double> got, std::span<const double> want,
                  std::span<const double> bound, const Place& first);
  void record(double ratio, double got, double want, double bound, const Place& place);
  void add_rejected(double ratio, double got, double want, double bound, const Place& place);

  TapResult result_;
  std::int64_t values_ = 0;
  std::int64_t inexact_ = 0;  // values with a bound above 0
  double square_bound_ = 0, square_want_ = 0;
};

}  // namespace helixcheck
