// Kernels for AVX-512 (x86-64 only), compiled with -mavx512f. See kernels.hpp.

#include "mla/kernels.inl"

namespace helixcheck {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels{multiply_add};

}  // namespace helixcheck
