// The kernels for any machine, and the choice between the two builds.

#include "subject/cpu/kernels.hpp"
#include "subject/cpu/kernels.inl"

namespace helixcheck::cpu {

const Kernels& baseline_kernels() {
  static constexpr Kernels set{product, accumulate};
  return set;
}

#if !defined(__x86_64__)
const Kernels* avx2_kernels() {
  return nullptr;
}
#endif

const Kernels& kernels() {
#if defined(__x86_64__)
  static const Kernels& chosen =
      __builtin_cpu_supports("avx2") ? *avx2_kernels() : baseline_kernels();
  return chosen;
#else
  return baseline_kernels();
#endif
}

}  // namespace helixcheck::cpu
