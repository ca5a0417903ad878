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

  // The steps on the device, [ranks], always at one address. Enqueues an upload if they differ from
  // the last ones.
  const hxc_step* upload(hxc_step* const* ranks, cudaStream_t stream);

 private:
  std::byte* add(const void* values, std::size_t bytes);

  std::size_t ranks_;
  DeviceBlock device_;
  // What device_ is to hold: model, inv_freq, places and weights, which stay; steps; requests.
  std::vector<std::byte> next_, last_;
  std::size_t end_ = 0;  // while the constants are laid out
  const hxc_model* model_ = nullptr;
  const hxc_rank* places_ = nullptr;
  const hxc_weights* weights_ = nullptr;
  std::size_t steps_at_ = 0, requests_at_ = 0;
};

}  // namespace helixcheck::cuda
