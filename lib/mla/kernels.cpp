// Choice of kernels at run time. HELIXCHECK_X86_KERNELS is defined where the build has those for
// AVX2 and AVX-512.

#include "mla/kernels.hpp"

namespace helixcheck {

extern const Kernels kBaselineKernels;
#ifdef HELIXCHECK_X86_KERNELS
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

const Kernels* find_kernels(InstructionSet set) {
#ifdef HELIXCHECK_X86_KERNELS
  if (set == InstructionSet::avx2) {
    return __builtin_cpu_supports("avx2") ? &kAvx2Kernels : nullptr;
  }
  if (set == InstructionSet::avx512) {
    return __builtin_cpu_supports("avx512f") ? &kAvx512Kernels : nullptr;
  }
#endif
  return set == InstructionSet::baseline ? &kBaselineKernels : nullptr;
}

const Kernels& kernels() {
  static const Kernels& best = []() -> const Kernels& {
    if (const Kernels* found = find_kernels(InstructionSet::avx512)) return *found;
    if (const Kernels* found = find_kernels(InstructionSet::avx2)) return *found;
    return kBaselineKernels;
  }();
  return best;
}

}  // namespace helixcheck
