// The one symbol that the module exports.

#include <array>

#include "device/cuda.hpp"
#include "kernels/bench_support.hpp"
#include "kernels/check.hpp"
#include "kernels/memory/cuda_memory.hpp"
#include "kernels/mutants/mutants.hpp"
#include "kernels/nccl/transport.hpp"
#include "kernels/reference/accelerator.hpp"
#include "kernels/subject/subject.hpp"
#include "mla/accelerator.hpp"

namespace helixcheck::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

class BuiltModule final : public Module {
 public:
  std::string versions() const override {
    int runtime = 0, driver = 0;
    HXC_CHECK(cudaRuntimeGetVersion(&runtime));
    HXC_CHECK(cudaDriverGetVersion(&driver));
    return "CUDA " + version_text(runtime) + ", driver for " + version_text(driver) + ", " +
           nccl_version();
  }

  std::vector<Device> devices() const override {
    int count = 0;
    const cudaError_t result = cudaGetDeviceCount(&count);
    if (result != cudaSuccess) {
      throw ResourceError(std::string("there is no usable CUDA device: ") +
                          cudaGetErrorString(result));
    }
    std::vector<Device> devices;
    for (int i = 0; i < count; ++i) devices.push_back(describe(i));
    return devices;
  }

  std::int64_t free_bytes(int device) const override {
    int current = 0;
    HXC_CHECK(cudaGetDevice(&current));
    HXC_CHECK(cudaSetDevice(device));
    std::size_t free = 0, total = 0;
    HXC_CHECK(cudaMemGetInfo(&free, &total));
    HXC_CHECK(cudaSetDevice(current));
    return static_cast<std::int64_t>(free);
  }

  std::unique_ptr<Memory> make_memory(int device) const override {
    return make_cuda_memory(device);
  }

  std::span<const hxc_subject* const> subjects() const override {
    static const std::array<const hxc_subject*, 2> all = {&subject(), &subject_agrs()};
    return all;
  }

  std::span<const hxc_subject> mutants() const override { return cuda::mutants(); }

  std::unique_ptr<Timing> make_timing(Memory& memory) const override {
    return cuda::make_timing(memory);
  }

  std::string device_id(Memory&) const override {
    int device = 0;
    HXC_CHECK(cudaGetDevice(&device));
    cudaDeviceProp properties{};
    HXC_CHECK(cudaGetDeviceProperties(&properties, device));
    std::string text;
    for (const char byte : properties.uuid.bytes) {
      constexpr const char* kDigits = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      text += kDigits[value / 16];
      text += kDigits[value % 16];
    }
    return text;
  }
  std::string nccl_missing() const override { return cuda::nccl_missing(); }
  std::unique_ptr<NcclGroup> make_nccl_group(Memory& memory, const NcclPlace& place,
                                             const Broadcast& broadcast) const override {
    return cuda::make_nccl_group(memory, place, broadcast);
  }

  std::unique_ptr<Accelerator> make_accelerator(Memory& memory) const override {
    return make_cuda_accelerator(memory);
  }

 private:
  static Device describe(int index) {
    cudaDeviceProp properties{};
    HXC_CHECK(cudaGetDeviceProperties(&properties, index));
    return {properties.name,
            std::to_string(properties.major) + "." + std::to_string(properties.minor),
            static_cast<std::int64_t>(properties.totalGlobalMem)};
  }
};

}  // namespace
}  // namespace helixcheck::cuda

extern "C" const helixcheck::cuda::Module* helixcheck_cuda_module() {
  static const helixcheck::cuda::BuiltModule module;
  return &module;
}
