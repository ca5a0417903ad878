// Addresses travel as kernel parameters, so that nothing is uploaded and a graph can keep them.

#include "kernels/check.hpp"
#include "kernels/memory/collectives.hpp"
#include "kernels/views.cuh"

namespace helixcheck::cuda {
namespace {

constexpr int kMaxRanks = 1024;  // 16 KiB of parameters
constexpr int kThreads = 256;

struct Places {
  const void* send[kMaxRanks];
  void* recv[kMaxRanks];
};

Places places_of(std::span<const void* const> send, std::span<void* const> recv) {
  if (send.size() > kMaxRanks) {
    fail("more than 1024 ranks on one device", false, {"collective", __FILE__, __LINE__});
  }
  Places places{};
  for (std::size_t i = 0; i < send.size(); ++i) {
    places.send[i] = send[i];
    places.recv[i] = recv[i];
  }
  return places;
}

unsigned blocks_for(std::int64_t work) {
  constexpr std::int64_t kMost = 256;
  return static_cast<unsigned>(std::min((work + kThreads - 1) / kThreads, kMost));
}

// Grid (pieces, members, ranks). `Word` is the widest type that divides size and addresses.
template <typename Word>
__global__ void exchange_kernel(const __grid_constant__ Places places, int members,
                                std::int64_t words, bool gather) {
  const int rank = static_cast<int>(blockIdx.z), member = static_cast<int>(blockIdx.y);
  const int begin = rank / members * members;
  const std::int64_t block = gather ? 0 : rank - begin;
  const Word* from = static_cast<const Word*>(places.send[begin + member]) + block * words;
  Word* to = static_cast<Word*>(places.recv[rank]) + member * words;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < words;
       i += stride) {
    to[i] = from[i];
  }
}

// Grid (pieces, ranks).
template <typename Code>
__global__ void sum_kernel(const __grid_constant__ Places places, int members, std::int64_t count,
                           bool scatter) {
  const int rank = static_cast<int>(blockIdx.y), begin = rank / members * members;
  const std::int64_t first = scatter ? (rank - begin) * count : 0;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    float sum = widen(static_cast<const Code*>(places.send[begin])[first + i]);
    for (int member = 1; member < members; ++member) {
      sum += widen(static_cast<const Code*>(places.send[begin + member])[first + i]);
    }
    static_cast<Code*>(places.recv[rank])[i] = narrow<Code>(sum);
  }
}

bool all_aligned(const BlockExchange& blocks, std::size_t to) {
  const auto aligned = [&](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % to == 0; };
  bool all = blocks.bytes % to == 0;
  for (const void* p : blocks.send) all = all && aligned(p);
  for (const void* p : blocks.recv) all = all && aligned(p);
  return all;
}

template <typename Word>
void launch_exchange(const BlockExchange& blocks, cudaStream_t stream) {
  const auto words = static_cast<std::int64_t>(blocks.bytes / sizeof(Word));
  const dim3 grid(blocks_for(words), static_cast<unsigned>(blocks.members),
                  static_cast<unsigned>(blocks.recv.size()));
  exchange_kernel<Word><<<grid, kThreads, 0, stream>>>(places_of(blocks.send, blocks.recv),
                                                       blocks.members, words, blocks.gather);
  HXC_CHECK_LAUNCH("exchange_kernel");
}

}  // namespace

void enqueue_exchange(const BlockExchange& blocks, cudaStream_t stream) {
  if (blocks.bytes == 0 || blocks.recv.empty()) return;
  if (all_aligned(blocks, sizeof(uint4))) return launch_exchange<uint4>(blocks, stream);
  if (all_aligned(blocks, sizeof(std::uint32_t))) {
    return launch_exchange<std::uint32_t>(blocks, stream);
  }
  launch_exchange<std::uint8_t>(blocks, stream);
}

void enqueue_sum(const BlockSum& blocks, cudaStream_t stream) {
  if (blocks.count == 0 || blocks.recv.empty()) return;
  const dim3 grid(blocks_for(blocks.count), static_cast<unsigned>(blocks.recv.size()));
  const Places places = places_of(blocks.send, blocks.recv);
  with_code(blocks.dtype, [&](auto code) {
    sum_kernel<decltype(code)>
        <<<grid, kThreads, 0, stream>>>(places, blocks.members, blocks.count, blocks.scatter);
  });
  HXC_CHECK_LAUNCH("sum_kernel");
}

}  // namespace helixcheck::cuda
