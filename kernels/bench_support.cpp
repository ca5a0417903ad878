// Rates are measured where they are used: clocks and memory differ from card to card.

#include "kernels/bench_support.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cublas_v2.h>
#include <dlfcn.h>
#include <vector>

#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::size_t kSweepBytes = std::size_t{2} << 30;
constexpr int kMatrix = 8192;  // n of the n x n x n product
constexpr double kMeasureSeconds = 1.0;

class Event {
 public:
  Event() { HXC_CHECK(cudaEventCreate(&event_)); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

class Blas {
 public:
  explicit Blas(cudaStream_t stream) {
    HXC_CHECK(cublasCreate(&handle_));
    HXC_CHECK(cublasSetStream(handle_, stream));
  }
  ~Blas() { cublasDestroy(handle_); }
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;
  operator cublasHandle_t() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

// The driver's management library, which machines with a GPU have and build machines may lack.
class Management {
 public:
  explicit Management(const std::string& pci_bus) {
    library_ = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr || call("nvmlInit_v2") != 0) return;
    const auto find = reinterpret_cast<int (*)(const char*, void**)>(
        dlsym(library_, "nvmlDeviceGetHandleByPciBusId_v2"));
    if (find == nullptr || find(pci_bus.c_str(), &device_) != 0) device_ = nullptr;
  }
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;
  ~Management() {
    if (library_ == nullptr) return;
    call("nvmlShutdown");
    dlclose(library_);
  }

  // "SM 1980 MHz, memory 2619 MHz, limit 700 W"; what is not known is left out.
  std::string state() const {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    constexpr int kSmClock = 1, kMemoryClock = 2;  // nvmlClockType_t
    if (const unsigned mhz = clock(kSmClock)) add("SM " + std::to_string(mhz) + " MHz");
    if (const unsigned mhz = clock(kMemoryClock)) add("memory " + std::to_string(mhz) + " MHz");
    const auto limit = reinterpret_cast<int (*)(void*, unsigned*)>(
        device_ != nullptr ? dlsym(library_, "nvmlDeviceGetPowerManagementLimit") : nullptr);
    unsigned milliwatts = 0;
    if (limit != nullptr && limit(device_, &milliwatts) == 0) {
      add("limit " + std::to_string(milliwatts / 1000) + " W");
    }
    return text;
  }

 private:
  int call(const char* name) const {
    const auto function = reinterpret_cast<int (*)()>(dlsym(library_, name));
    return function != nullptr ? function() : -1;
  }
  unsigned clock(int type) const {
    if (device_ == nullptr) return 0;
    const auto get =
        reinterpret_cast<int (*)(void*, int, unsigned*)>(dlsym(library_, "nvmlDeviceGetClockInfo"));
    unsigned mhz = 0;
    return get != nullptr && get(device_, type, &mhz) == 0 ? mhz : 0;
  }

  void* library_ = nullptr;
  void* device_ = nullptr;
};

std::string pci_bus_of(int device) {
  std::array<char, 32> text{};
  HXC_CHECK(cudaDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()), device));
  return text.data();
}

int current_device() {
  int device = 0;
  HXC_CHECK(cudaGetDevice(&device));
  return device;
}

std::size_t attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  HXC_CHECK(cudaDeviceGetAttribute(&value, which, device));
  return static_cast<std::size_t>(value);
}

class DeviceTiming final : public Timing {
 public:
  explicit DeviceTiming(Memory& memory)
      : memory_(memory),
        stream_(static_cast<cudaStream_t>(memory.stream())),
        device_(current_device()),
        processors_(static_cast<int>(attribute(cudaDevAttrMultiProcessorCount, device_))),
        flush_bytes_(2 *
                     std::max<std::size_t>(attribute(cudaDevAttrL2CacheSize, device_), 1 << 20)),
        flushed_(memory, flush_bytes_),
        read_(memory, flush_bytes_),
        sink_(memory, sizeof(std::uint32_t)),
        management_(pci_bus_of(device_)) {
    memory_.fill(read_.data(), std::byte{1}, flush_bytes_);
    memory_.synchronize();
  }

  // Written lines would be written back while the next work runs: reads push them out before it.
  void flush_cache() override {
    HXC_CHECK(cudaMemsetAsync(flushed_.data(), 0, flush_bytes_, stream_));
    enqueue_read_sweep(read_.data(), flush_bytes_, sink(), processors_, stream_);
  }
  void start() override { HXC_CHECK(cudaEventRecord(start_, stream_)); }
  void stop() override { HXC_CHECK(cudaEventRecord(stop_, stream_)); }
  double elapsed_us() override {
    HXC_CHECK(cudaEventSynchronize(stop_));
    float ms = 0;
    HXC_CHECK(cudaEventElapsedTime(&ms, start_, stop_));
    return 1e3 * static_cast<double>(ms);
  }

  Rates measure_rates() override { return {read_rate(), product_rate()}; }

  // Under load, or clocks are those of an idle card.
  std::string state() const override {
    HXC_CHECK(cudaStreamSynchronize(stream_));
    for (int i = 0; i < 200; ++i) {
      enqueue_read_sweep(read_.data(), flush_bytes_, sink(), processors_, stream_);
    }
    std::string text = management_.state();
    HXC_CHECK(cudaStreamSynchronize(stream_));
    return text;
  }

 private:
  std::uint32_t* sink() const { return reinterpret_cast<std::uint32_t*>(sink_.data()); }

  // Median microseconds of `work`, run for about a second.
  template <typename Work>
  double median_us(Work work) {
    using Clock = std::chrono::steady_clock;
    for (int i = 0; i < 3; ++i) work();
    std::vector<double> samples;
    const auto end = Clock::now() + std::chrono::duration<double>(kMeasureSeconds);
    while (samples.size() < 5 || Clock::now() < end) {
      start();
      work();
      stop();
      samples.push_back(elapsed_us());
    }
    std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
    return samples[samples.size() / 2];
  }

  double read_rate() {
    std::size_t free = 0, total = 0;
    HXC_CHECK(cudaMemGetInfo(&free, &total));
    const std::size_t bytes = std::min(kSweepBytes, free / 2 / 256 * 256);
    const Block data(memory_, bytes);
    memory_.fill(data.data(), std::byte{1}, bytes);
    const double us =
        median_us([&] { enqueue_read_sweep(data.data(), bytes, sink(), processors_, stream_); });
    return static_cast<double>(bytes) / (us * 1e-6);
  }

  double product_rate() {
    constexpr std::int64_t kCount = std::int64_t{kMatrix} * kMatrix;
    constexpr std::size_t kBytes = kCount * sizeof(__nv_bfloat16);
    const Blas blas(stream_);
    const Block a(memory_, kBytes), b(memory_, kBytes), c(memory_, kBytes);
    enqueue_random(reinterpret_cast<__nv_bfloat16*>(a.data()), kCount, 1, stream_);
    enqueue_random(reinterpret_cast<__nv_bfloat16*>(b.data()), kCount, 2, stream_);
    const float one = 1, zero = 0;
    const double us = median_us([&] {
      HXC_CHECK(cublasGemmEx(blas, CUBLAS_OP_T, CUBLAS_OP_N, kMatrix, kMatrix, kMatrix, &one,
                             a.data(), CUDA_R_16BF, kMatrix, b.data(), CUDA_R_16BF, kMatrix, &zero,
                             c.data(), CUDA_R_16BF, kMatrix, CUBLAS_COMPUTE_32F,
                             CUBLAS_GEMM_DEFAULT));
    });
    return 2.0 * kMatrix * kMatrix * kMatrix / (us * 1e-6);
  }

  Memory& memory_;
  cudaStream_t stream_;
  int device_;
  int processors_;
  std::size_t flush_bytes_;
  Block flushed_, read_, sink_;
  Management management_;
  Event start_, stop_;
};

}  // namespace

std::unique_ptr<Timing> make_timing(Memory& memory) {
  return std::make_unique<DeviceTiming>(memory);
}

}  // namespace helixcheck::cuda
