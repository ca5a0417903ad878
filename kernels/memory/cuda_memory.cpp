// One stream, two caches of blocks. Recorded work is a CUDA graph.

#include "kernels/memory/cuda_memory.hpp"

#include "kernels/check.hpp"
#include "kernels/draw.hpp"
#include "kernels/memory/block_cache.hpp"
#include "kernels/memory/collectives.hpp"
#include "kernels/memory/recording_gate.hpp"

namespace helixcheck::cuda {
namespace {

class Graph final : public RecordedWork {
 public:
  Graph(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    const cudaError_t result = cudaGraphInstantiate(&ready_, graph, 0);
    cudaGraphDestroy(graph);
    HXC_CHECK(result);
  }
  ~Graph() override { cudaGraphExecDestroy(ready_); }
  void run() override { HXC_CHECK(cudaGraphLaunch(ready_, stream_)); }

 private:
  cudaStream_t stream_;
  cudaGraphExec_t ready_ = nullptr;
};

class CudaMemory final : public Memory {
 public:
  explicit CudaMemory(int device) : device_(device) {
    HXC_CHECK(cudaSetDevice(device));
    HXC_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  }
  ~CudaMemory() override {
    const DeviceWideCall alone;
    cudaStreamDestroy(stream_);
  }

  std::string name() const override {
    cudaDeviceProp properties{};
    HXC_CHECK(cudaGetDeviceProperties(&properties, device_));
    return "cuda:" + std::to_string(device_) + " (" + properties.name + ")";
  }
  bool is_host() const override { return false; }
  void* stream() const override { return stream_; }

  // A block that changes hands may still be in use by work in flight of this stream, whose order
  // the next user joins; for the host's own blocks the harness waits.
  std::byte* allocate(std::size_t bytes) override { return blocks_.take(bytes); }
  void release(std::byte* block) noexcept override { blocks_.give_back(block); }
  std::int64_t spare_bytes() const override { return BlockCache::spare_device_bytes(); }
  std::byte* allocate_host(std::size_t bytes) override { return pinned_.take(bytes); }
  void release_host(std::byte* block) noexcept override { pinned_.give_back(block); }

  void upload(void* to, const void* from, std::size_t bytes) override {
    if (bytes == 0) return;
    HXC_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_));
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    if (bytes == 0) return;
    HXC_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_));
  }
  void fill(void* to, std::byte value, std::size_t bytes) override {
    if (bytes == 0) return;
    HXC_CHECK(cudaMemsetAsync(to, std::to_integer<int>(value), bytes, stream_));
  }
  void exchange(const BlockExchange& blocks) override { enqueue_exchange(blocks, stream_); }
  void sum(const BlockSum& blocks) override { enqueue_sum(blocks, stream_); }
  bool draw(void* to, const UniformRows& r) override {
    if (r.rows == 0) return true;
    draw_uniform_rows(r.seed, r.tensor, r.request, r.first_draw, r.rows, r.width,
                      static_cast<Dtype>(r.dtype), to, r.width, stream_);
    return true;
  }
  void synchronize() override { HXC_CHECK(cudaStreamSynchronize(stream_)); }

  bool lost() const override {
    const cudaError_t state = cudaStreamQuery(stream_);
    return state != cudaSuccess && state != cudaErrorNotReady;
  }

  void begin_recording() override {
    begin_recording_section();
    const cudaError_t result = cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed);
    if (result != cudaSuccess) end_recording_section();
    HXC_CHECK(result);
  }
  std::unique_ptr<RecordedWork> end_recording() override {
    cudaGraph_t graph = nullptr;
    const cudaError_t result = cudaStreamEndCapture(stream_, &graph);
    end_recording_section();
    HXC_CHECK(result);
    return std::make_unique<Graph>(graph, stream_);
  }

 private:
  int device_;
  cudaStream_t stream_ = nullptr;
  BlockCache blocks_{BlockCache::Kind::device};
  BlockCache pinned_{BlockCache::Kind::pinned};
};

}  // namespace

std::unique_ptr<Memory> make_cuda_memory(int device) {
  return std::make_unique<CudaMemory>(device);
}

}  // namespace helixcheck::cuda
