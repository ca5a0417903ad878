// The kernels for machines with AVX2; this file alone is compiled with -mavx2.

#if defined(__x86_64__)

#include "subject/cpu/kernels.hpp"
#include "subject/cpu/kernels.inl"

namespace helixcheck::cpu {

const Kernels* avx2_kernels() {
  static constexpr Kernels set{product, accumulate};
  return &set;
}

}  // namespace helixcheck::cpu

#endif
