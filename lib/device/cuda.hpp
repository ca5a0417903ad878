// The CUDA part of Helixcheck: a module of its own beside the executable (helixcheck_cuda.so),
// loaded when it is first asked for, so that nothing else pays for the CUDA libraries.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/memory.hpp"
#include "device/timing.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {

class Accelerator;  // mla/accelerator.hpp
class World;        // world/world.hpp

namespace cuda {

struct Device {
  std::string name;           // "NVIDIA H100 80GB HBM3"
  std::string capability;     // "9.0"
  std::int64_t memory_bytes;  // in all
  std::int64_t free_bytes;
};

// What the module offers. Calls throw ResourceError with the CUDA call that failed.
class Module {
 public:
  virtual ~Module() = default;
  virtual std::string versions() const = 0;  // "CUDA 13.0, driver 13.0, NCCL 2.28.9"
  virtual std::vector<Device> devices() const = 0;
  // A stream of its own on a device. The result serves one thread.
  virtual std::unique_ptr<Memory> make_memory(int device) const = 0;
  virtual std::span<const hxc_subject* const> subjects() const = 0;
  // A clock, and what the device reaches, on the device and the stream of `memory`.
  virtual std::unique_ptr<Timing> make_timing(Memory& memory) const = 0;
  // fp64 work for the judge, on the device and the stream of `memory`.
  virtual std::unique_ptr<Accelerator> make_accelerator(Memory& memory) const = 0;
};

// The names that `subjects` gives, known without the module.
std::span<const std::string_view> subject_names();

// The module. Throws ResourceError where this build has none, it cannot be loaded, or there is no
// GPU, and says which.
const Module& module();

// "ready: 2 x NVIDIA H100 80GB HBM3, CUDA 13.0, ...", or why there is none.
std::string state();

// The devices that the threads of this process use in turn; at first all. A rank of an MPI job
// keeps to its own.
void use_only(int device);

// The calling thread's device and its memory there, made when it first asks.
int device();
Memory& memory();
Accelerator& accelerator();

}  // namespace cuda
}  // namespace helixcheck
