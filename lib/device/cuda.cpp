// The module lies beside the executable, as the build puts it.

#include "device/cuda.hpp"

#include <array>
#include <atomic>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unistd.h>

#include "mla/accelerator.hpp"
#include "scenario/error.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::array<std::string_view, 2> kSubjects = {"cuda", "cuda_agrs"};
constexpr const char* kFile = "helixcheck_cuda.so";

struct Loaded {
  const Module* module = nullptr;
  std::string missing;  // why there is none
};

Loaded load() {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path file = here / kFile;
  if (!std::filesystem::exists(file, error)) {
    return {nullptr, "this build has no CUDA part: configure with the CUDA toolkit's nvcc at hand"};
  }
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, std::string("the CUDA part does not load: ") + dlerror()};
  using Entry = const Module* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "helixcheck_cuda_module"));
  if (entry == nullptr) return {nullptr, file.string() + " is not Helixcheck's CUDA part"};
  try {
    const Module* module = entry();
    if (module->devices().empty()) return {nullptr, "there is no CUDA device"};
    return {module, ""};
  } catch (const std::exception& e) {
    return {nullptr, e.what()};
  }
}

const Loaded& loaded() {
  static const Loaded result = load();
  return result;
}

std::atomic<int> local_rank_of_job{-1};  // -1: no job
std::atomic<int> next_device{0};

int device_of_thread() {
  const int local_rank = local_rank_of_job;
  const int wished = local_rank >= 0 ? local_rank : next_device++;
  return wished % static_cast<int>(module().devices().size());
}

}  // namespace

std::span<const std::string_view> subject_names() {
  return kSubjects;
}

const Module& module() {
  if (loaded().module == nullptr) throw ResourceError(loaded().missing);
  return *loaded().module;
}

std::string state() {
  if (loaded().module == nullptr) return loaded().missing;
  const std::vector<Device> devices = module().devices();
  return "ready: " + std::to_string(devices.size()) + " x " + devices.front().name + ", " +
         module().versions();
}

void use_local_rank(int local_rank) {
  local_rank_of_job = local_rank;
}

int device() {
  thread_local const int mine = device_of_thread();
  return mine;
}

Memory& memory() {
  thread_local const std::unique_ptr<Memory> mine = module().make_memory(device());
  return *mine;
}

Accelerator& accelerator() {
  thread_local const std::unique_ptr<Accelerator> mine = module().make_accelerator(memory());
  return *mine;
}

}  // namespace helixcheck::cuda
