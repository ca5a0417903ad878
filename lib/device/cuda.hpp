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
#include "device/nccl.hpp"
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
};

// What the module offers. Calls throw ResourceError with the CUDA call that failed.
class Module {
 public:
  virtual ~Module() = default;
  virtual std::string versions() const = 0;  // "CUDA 13.0, driver 13.0, NCCL 2.28.9"
  virtual std::vector<Device> devices() const = 0;
  // Of a device. Makes a context on it, which takes some hundred MiB itself.
  virtual std::int64_t free_bytes(int device) const = 0;
  // A stream of its own on a device. The result serves one thread.
  virtual std::unique_ptr<Memory> make_memory(int device) const = 0;
  virtual std::span<const hxc_subject* const> subjects() const = 0;
  // Tables to be put over subject `cuda`, named by the ids of subject/mutants/mutants.hpp.
  virtual std::span<const hxc_subject> mutants() const = 0;
  // A clock, and what the device reaches, on the device and the stream of `memory`.
  virtual std::unique_ptr<Timing> make_timing(Memory& memory) const = 0;
  // fp64 work for the judge, on the device and the stream of `memory`.
  virtual std::unique_ptr<Accelerator> make_accelerator(Memory& memory) const = 0;
  // Of the GPU that `memory` is on, the same in every process and on every host.
  virtual std::string device_id(Memory& memory) const = 0;
  // Why there is no NCCL; empty: there is.
  virtual std::string nccl_missing() const = 0;
  // Collective over the processes of the group, each with the memory it will always use.
  virtual std::unique_ptr<NcclGroup> make_nccl_group(Memory& memory, const NcclPlace& place,
                                                     const Broadcast& broadcast) const = 0;
};

// The names that `subjects` gives, known without the module.
std::span<const std::string_view> subject_names();

// The module. Throws ResourceError where this build has none, it cannot be loaded, or there is no
// GPU, and says which.
const Module& module();

// "ready: 2 x NVIDIA H100 80GB HBM3, CUDA 13.0, ...", or why there is none.
std::string state();

// Without it the threads of this process use all devices in turn. A rank of an MPI job keeps to
// one: the device of its number among the ranks of its host, modulo the count of devices. Does not
// load the module.
void use_local_rank(int local_rank);

// The calling thread's device and its memory there, made when it first asks.
int device();
Memory& memory();
Accelerator& accelerator();

}  // namespace cuda
}  // namespace helixcheck
