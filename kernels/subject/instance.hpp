// State of the CUDA subjects: one instance for all ranks of a process. Everything is allocated at
// create time; entries only enqueue.

#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attend/attend.hpp"
#include "kernels/subject/block.hpp"
#include "kernels/subject/steps.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

struct Instance {
  Instance(const hxc_model& model, const hxc_rank* const* places, const hxc_weights* const* weights,
           const hxc_limits& limits);

  std::size_t ranks;
  std::vector<hxc_weights> weights;  // by rank; tensors of the device
  DeviceSteps steps;
  AttendLaunch attend;
  DeviceBlock attend_workspace;
  // Collectives: room for kvp packed messages of each rank, one rank after the other.
  std::int64_t buffer_bytes;  // of one rank
  DeviceBlock send, receive;
  std::vector<const void*> send_places;  // by rank
  std::vector<void*> receive_places;
};

// What every entry starts from.
struct Call {
  Call(void* instance, hxc_step* const* ranks)
      : self(*static_cast<Instance*>(instance)),
        any(*ranks[0]),
        stream(static_cast<cudaStream_t>(any.stream)),
        steps(self.steps.upload(ranks, stream)),
        ranks_z(static_cast<unsigned>(self.ranks)) {}
  Instance& self;
  const hxc_step& any;  // of the first rank; sizes are those of all, but for prompt rows
  cudaStream_t stream;
  const hxc_step* steps;  // on the device, [ranks]
  unsigned ranks_z;       // ranks as a grid dimension
};

// Where head `head` begins on that axis of a tensor of fp32 or 16-bit codes.
inline std::byte* head_of(const hxc_tensor& t, std::int64_t axis, std::int64_t head) {
  const std::int64_t item = t.dtype == HXC_FP32 ? 4 : 2;
  return static_cast<std::byte*>(t.data) + head * t.stride[axis] * item;
}

// Bytes of one packed message: [B, Hc, R] values, padded to 16, then [B, Hc, 1 or 2] statistics.
std::int64_t values_bytes(const hxc_step& step);
std::int64_t message_bytes(const hxc_step& step);

// The stages, in the signature of the boundary.
int plan(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int project(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int append(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int attend(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int exchange(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int combine(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int output(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);

// Span exchange .. combine in the form of all-gather and reduce-scatter: the statistics of all
// ranks are gathered, each rank scales its own partials by its final weight and stores them in the
// model dtype, and the sum over the group scatters the heads to their owners.
int gather_scatter(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);

}  // namespace helixcheck::cuda
