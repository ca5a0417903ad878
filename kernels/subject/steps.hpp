// What kernels read of a step: the boundary's structs, copied to the device with their pointers
// turned to the copies.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>
#include <vector>

#include "kernels/subject/block.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

class DeviceSteps {
 public:
  DeviceSteps(const hxc_model& model, const hxc_rank* const* places,
              const hxc_weights* const* weights, const hxc_limits& limits);
  ~DeviceSteps();
  DeviceSteps(const DeviceSteps&) = delete;
  DeviceSteps& operator=(const DeviceSteps&) = delete;

  // The steps on the device, [ranks], always at one address. Enqueues an upload if they differ from
  // the last ones.
  const hxc_step* upload(hxc_step* const* ranks, cudaStream_t stream);

 private:
  // Uploads read pinned memory later: a slot is free again when its event has passed.
  struct Slot {
    PinnedBlock block;
    cudaEvent_t uploaded = nullptr;
  };
  static constexpr std::size_t kSlots = 4;

  void write(hxc_step* const* ranks, std::byte* to) const;

  std::size_t ranks_, step_bytes_;
  DeviceBlock constants_;  // model, inv_freq, places, weights
  const hxc_model* model_ = nullptr;
  const hxc_rank* places_ = nullptr;
  const hxc_weights* weights_ = nullptr;
  DeviceBlock steps_;  // hxc_step [ranks], then the requests
  std::vector<std::byte> last_, next_;
  std::vector<Slot> slots_;
  std::size_t slot_ = 0;
};

}  // namespace helixcheck::cuda
