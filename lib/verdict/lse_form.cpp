// fp64 on fp32 values: the conversion itself adds no error that matters.

#include "verdict/lse_form.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace helixcheck {

double natural_lse(LseForm form, const float* statistics) {
  const double first = statistics[0];
  switch (form) {
    case LseForm::ln: return first;
    case LseForm::log2: return first * std::numbers::ln2;
    case LseForm::max_sum: break;
  }
  const double sum = statistics[1];
  const double infinity = std::numeric_limits<double>::infinity();
  if (first == -infinity) return sum == 0 ? -infinity : std::nan("");
  return first + std::log(sum);
}

}  // namespace helixcheck
