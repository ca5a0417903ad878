// Span exchange .. combine as all-gather and reduce-scatter, the form of vLLM's first context
// parallelism: the sum over ranks is the transport's, in the model dtype.

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/subject/merge.cuh"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 128;

struct Buffers {
  std::byte* data;  // rank i's from data + i * bytes on
  std::int64_t bytes;
  template <typename Value>
  __device__ Value* of_rank() const {
    return reinterpret_cast<Value*>(data + blockIdx.y * bytes);
  }
};

// Statistics [B, Ht, 1 or 2], dense. Grid (lanes, ranks).
__global__ void pack_statistics_kernel(const hxc_step* steps, Buffers to) {
  const hxc_step& step = steps[blockIdx.y];
  const std::int64_t lane = blockIdx.x, heads = step.place->heads, width = step.lse.shape[2];
  if (threadIdx.x >= width) return;
  to.of_rank<float>()[lane * width + threadIdx.x] =
      float_at(step.lse, lane / heads, lane % heads, threadIdx.x);
}

// gathered: [kvp, B, Ht, 1 or 2] of every rank. Writes w * o for the owner of each head, [kvp, B,
// Hc, R], and the LSE of the heads that this rank owns. Grid (lanes, ranks).
template <typename Code>
__global__ void scale_kernel(const hxc_step* steps, Buffers gathered, Buffers to) {
  const hxc_step& step = steps[blockIdx.y];
  const hxc_rank& place = *step.place;
  const std::int64_t lane = blockIdx.x, heads = place.heads, width = step.lse.shape[2];
  const std::int64_t row = lane / heads, head = lane % heads;
  const float* statistics = gathered.of_rank<float>();
  const std::int64_t lanes = step.rows * heads;
  const auto lse_of = [&](std::int64_t part) {
    const float* one = statistics + (part * lanes + lane) * width;
    return natural_lse(place.lse_form, one[0], width > 1 ? one[1] : 0.0f);
  };
  float top = -INFINITY;
  for (int p = 0; p < place.kvp; ++p) top = top_of(top, lse_of(p));
  float total = 0;
  for (int p = 0; p < place.kvp; ++p) {
    const float lse = lse_of(p);
    if (lse != -INFINITY) total += expf(lse - top);
  }
  const float merged = top == -INFINITY ? top : top + logf(total);
  const std::int64_t owned = place.owned_heads, owner = head / owned,
                     latent = step.combined.shape[2];
  if (owner == place.kvp_rank && threadIdx.x == 0) {
    float_at(step.combined_lse, row, head % owned) = merged;
  }
  const float own = lse_of(place.kvp_rank);
  const float weight = own == -INFINITY ? 0.0f : expf(own - merged);
  const Code* from =
      static_cast<const Code*>(step.partial_o.data) + offset(step.partial_o, row, head);
  Code* out = to.of_rank<Code>() + ((owner * step.rows + row) * owned + head % owned) * latent;
  for (std::int64_t j = threadIdx.x; j < latent; j += kThreads) {
    out[j] = narrow<Code>(own == -INFINITY ? 0.0f : weight * widen(from[j]));
  }
}

// Grid (rows * owned heads, ranks).
template <typename Code>
__global__ void unpack_sum_kernel(const hxc_step* steps, Buffers from) {
  const hxc_step& step = steps[blockIdx.y];
  const std::int64_t lane = blockIdx.x, owned = step.place->owned_heads;
  const std::int64_t latent = step.combined.shape[2];
  Code* to =
      static_cast<Code*>(step.combined.data) + offset(step.combined, lane / owned, lane % owned);
  for (std::int64_t j = threadIdx.x; j < latent; j += kThreads) {
    to[j] = from.of_rank<Code>()[lane * latent + j];
  }
}

void require(int status, const hxc_error* error) {
  if (status != 0) throw SubjectError(error->message);
}

}  // namespace

int gather_scatter(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    Instance& self = call.self;
    const hxc_step& any = call.any;
    const std::int64_t lanes = any.rows * any.place->heads;
    if (lanes == 0) return;
    const Buffers sent{self.send.data(), self.buffer_bytes};
    const Buffers received{self.receive.data(), self.buffer_bytes};
    const dim3 grid(static_cast<unsigned>(lanes), call.ranks_z);
    pack_statistics_kernel<<<grid, 32, 0, call.stream>>>(call.steps, sent);
    HXC_CHECK_LAUNCH("pack_statistics_kernel");
    const auto bytes = static_cast<std::size_t>(lanes * any.lse.shape[2]) * sizeof(float);
    require(comm->all_gather(comm, HXC_GROUP_KVP, self.send_places.data(),
                             self.receive_places.data(), bytes, any.step, error),
            error);
    const dim3 owned(static_cast<unsigned>(any.rows * any.place->owned_heads), call.ranks_z);
    with_code(any.model->dtype, [&](auto code) {
      using Code = decltype(code);
      scale_kernel<Code><<<grid, kThreads, 0, call.stream>>>(call.steps, received, sent);
    });
    HXC_CHECK_LAUNCH("scale_kernel");
    require(comm->reduce_scatter(comm, HXC_GROUP_KVP, self.send_places.data(),
                                 self.receive_places.data(),
                                 static_cast<std::int64_t>(owned.x) * any.combined.shape[2],
                                 any.model->dtype, any.step, error),
            error);
    with_code(any.model->dtype, [&](auto code) {
      unpack_sum_kernel<decltype(code)><<<owned, kThreads, 0, call.stream>>>(call.steps, received);
    });
    HXC_CHECK_LAUNCH("unpack_sum_kernel");
  });
}

}  // namespace helixcheck::cuda
