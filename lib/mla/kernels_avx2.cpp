// Kernels for AVX2 (x86-64 only), compiled with -mavx2. See kernels.hpp.

#include "mla/kernels.inl"

namespace helixcheck {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels{multiply_add};

}  // namespace helixcheck
