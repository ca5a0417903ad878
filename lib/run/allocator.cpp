// Buffers of a case are large enough that malloc would map and unmap each of them, and small enough
// that the page faults cost more than the case.

#include "run/allocator.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace helixcheck {

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 256 * kMiB);
#endif
}

}  // namespace helixcheck
