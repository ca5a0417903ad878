// Kernels for the instruction set every machine of the architecture has. See kernels.hpp.

#include "mla/kernels.inl"

namespace helixcheck {

extern const Kernels kBaselineKernels;
const Kernels kBaselineKernels{multiply_add};

}  // namespace helixcheck
