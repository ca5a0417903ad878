// Stage `exchange`: slice s of a rank's heads goes to KVP rank s, values and statistics in one
// message. Only bits move.

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/views.cuh"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 128;

// Where the messages lie: those of rank i from `buffers` + i * buffer_bytes on.
struct Messages {
  std::byte* buffers;
  std::int64_t buffer_bytes, message_bytes, values_bytes;
};

// A message's two parts.
template <typename Code>
struct Packed {
  Code* values;       // [B, Hc, R]
  float* statistics;  // [B, Hc, 1 or 2]
};

// Of the rank that this block works on.
template <typename Code>
__device__ Packed<Code> packed(const Messages& messages, std::int64_t peer) {
  std::byte* message =
      messages.buffers + blockIdx.z * messages.buffer_bytes + peer * messages.message_bytes;
  return {reinterpret_cast<Code*>(message),
          reinterpret_cast<float*>(message + messages.values_bytes)};
}

// Grid (lanes of a message, peers, ranks).
template <typename Code>
__global__ void pack_kernel(const hxc_step* steps, Messages messages) {
  const hxc_step& step = steps[blockIdx.z];
  const std::int64_t lane = blockIdx.x, peer = blockIdx.y, owned = step.place->owned_heads;
  const std::int64_t row = lane / owned, head = peer * owned + lane % owned;
  const Packed<Code> to = packed<Code>(messages, peer);
  const std::int64_t latent = step.model->kv_lora_rank, statistics = step.lse.shape[2];
  const Code* from =
      static_cast<const Code*>(step.partial_o.data) + offset(step.partial_o, row, head);
  for (std::int64_t j = threadIdx.x; j < latent; j += kThreads) {
    to.values[lane * latent + j] = from[j];
  }
  if (threadIdx.x < statistics) {
    to.statistics[lane * statistics + threadIdx.x] = float_at(step.lse, row, head, threadIdx.x);
  }
}

template <typename Code>
__global__ void unpack_kernel(const hxc_step* steps, Messages messages) {
  const hxc_step& step = steps[blockIdx.z];
  const std::int64_t lane = blockIdx.x, peer = blockIdx.y, owned = step.place->owned_heads;
  const std::int64_t row = lane / owned, head = lane % owned;
  const Packed<Code> from = packed<Code>(messages, peer);
  const std::int64_t latent = step.model->kv_lora_rank, statistics = step.lse.shape[2];
  Code* to = static_cast<Code*>(step.exchanged.data) + offset(step.exchanged, peer, row, head);
  for (std::int64_t j = threadIdx.x; j < latent; j += kThreads) {
    to[j] = from.values[lane * latent + j];
  }
  if (threadIdx.x < statistics) {
    float_at(step.exchanged_lse, peer, row, head, threadIdx.x) =
        from.statistics[lane * statistics + threadIdx.x];
  }
}

}  // namespace

int exchange(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    Instance& self = call.self;
    const hxc_rank& place = *call.any.place;
    const std::int64_t bytes = message_bytes(call.any), values = values_bytes(call.any);
    const dim3 grid(static_cast<unsigned>(call.any.rows * place.owned_heads),
                    static_cast<unsigned>(place.kvp), call.ranks_z);
    if (grid.x == 0) return;
    const Messages sent{self.send.data(), self.buffer_bytes, bytes, values};
    const Messages received{self.receive.data(), self.buffer_bytes, bytes, values};
    with_code(call.any.model->dtype, [&](auto code) {
      pack_kernel<decltype(code)><<<grid, kThreads, 0, call.stream>>>(call.steps, sent);
    });
    HXC_CHECK_LAUNCH("pack_kernel");
    if (comm->all_to_all(comm, HXC_GROUP_KVP, self.send_places.data(), self.receive_places.data(),
                         static_cast<std::size_t>(bytes), call.any.step, error) != 0) {
      throw SubjectError(error->message);
    }
    with_code(call.any.model->dtype, [&](auto code) {
      unpack_kernel<decltype(code)><<<grid, kThreads, 0, call.stream>>>(call.steps, received);
    });
    HXC_CHECK_LAUNCH("unpack_kernel");
  });
}

}  // namespace helixcheck::cuda
