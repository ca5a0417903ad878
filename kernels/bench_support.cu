// The two kernels that rates are measured with.

#include "kernels/bench_support.hpp"
#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kBlocksPerProcessor = 4;
constexpr int kLoads = 4;  // of 16 bytes in flight for each thread

// data: uint4 [count]. Blocks take turns of kThreads * kLoads vectors.
__global__ void __launch_bounds__(kThreads)
    read_sweep(const uint4* data, std::int64_t count, std::uint32_t* sink) {
  std::uint32_t mixed = 0;
  const std::int64_t turn = static_cast<std::int64_t>(gridDim.x) * kThreads * kLoads;
  for (std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kThreads * kLoads + threadIdx.x;
       begin < count; begin += turn) {
    uint4 loaded[kLoads];
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      const std::int64_t at = begin + static_cast<std::int64_t>(i) * kThreads;
      loaded[i] = at < count ? __ldg(data + at) : uint4{0, 0, 0, 0};
    }
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      mixed ^= loaded[i].x ^ loaded[i].y ^ loaded[i].z ^ loaded[i].w;
    }
  }
  // The compiler cannot know that this never holds, so that no load is left out.
  if (mixed == 0x9e3779b9u) *sink = mixed;
}

__global__ void fill_random(__nv_bfloat16* data, std::int64_t count, std::uint32_t seed) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    std::uint32_t x = static_cast<std::uint32_t>(i) * 0x9e3779b9u + seed;
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    x ^= x >> 16;
    data[i] = __float2bfloat16_rn(static_cast<float>(x >> 8) * 0x1p-23f - 1.0f);
  }
}

}  // namespace

void enqueue_read_sweep(const void* data, std::size_t bytes, std::uint32_t* sink, int processors,
                        cudaStream_t stream) {
  read_sweep<<<processors * kBlocksPerProcessor, kThreads, 0, stream>>>(
      static_cast<const uint4*>(data), static_cast<std::int64_t>(bytes / sizeof(uint4)), sink);
  HXC_CHECK_LAUNCH("read_sweep");
}

void enqueue_random(__nv_bfloat16* data, std::int64_t count, std::uint32_t seed,
                    cudaStream_t stream) {
  fill_random<<<1024, 256, 0, stream>>>(data, count, seed);
  HXC_CHECK_LAUNCH("fill_random");
}

}  // namespace helixcheck::cuda
