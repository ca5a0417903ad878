// Offsets into the cache in 32 bits. What such an offset misses lies outside of the pool, where a
// plain access would end all work on the device. Here keys come and go as through a tensor map or a
// bounded buffer: what lies outside reads as zeros, and what is written there is dropped.

#include <limits>

#include "kernels/attend/simt.cuh"
#include "kernels/mutants/mutants.hpp"
#include "kernels/subject/append.cuh"

namespace helixcheck::cuda::planted {
namespace {

__device__ bool fits_32_bits(std::int64_t place) {
  return place == static_cast<std::int32_t>(place);
}

struct PageOffsetOf32Bits : simt::SimtDecisions {
  static constexpr std::int64_t kOutside = std::numeric_limits<std::int64_t>::min() / 2;

  static __device__ std::int64_t key_place(const hxc_tensor& cache, std::int64_t page, int token) {
    const std::int64_t place = offset(cache, page, token);
    return fits_32_bits(place) ? place : kOutside;
  }
  template <typename Code>
  static __device__ float element(const Code* cache, std::int64_t place) {
    return place < kOutside / 2 ? 0 : SimtDecisions::element(cache, place);
  }
};

struct SlotOffsetOf32Bits : appending::AppendDecisions {
  static __device__ bool stored(const hxc_step& step, std::int64_t slot) {
    const std::int64_t page = step.place->tokens_per_block;
    return slot >= 0 && fits_32_bits(offset(step.cache, slot / page, slot % page));
  }
};

}  // namespace

int page_offset_of_32_bits(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    AttendKernels kernels;
    kernels.simt = simt::launch<PageOffsetOf32Bits>;
    if (!call.self.attend.tensor_cores) simt::prepare<PageOffsetOf32Bits>(call.self.attend);
    enqueue_attend_with(kernels, call.self.attend, call.steps, call.any.rows,
                        call.self.attend_workspace.data(), call.stream);
  });
}

int slot_offset_of_32_bits(void* instance, hxc_step* const* ranks, hxc_comm* comm,
                           hxc_error* error) {
  return appending::append_with<SlotOffsetOf32Bits>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cuda::planted
