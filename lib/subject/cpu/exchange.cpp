// Stage `exchange`: all-to-all over heads inside the KVP group. Slice s of a rank's heads goes to
// KVP rank s. Only bits move.

#include <cstring>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

// from [B, Ht, width] -> to [C, B, Hc, width], dense.
void pack(const hxc_step& step, const hxc_tensor& from, std::int64_t width, std::byte* to) {
  const std::int64_t owned = step.place->owned_heads;
  const auto head_bytes = static_cast<std::size_t>(width * element_bytes(from));
  for (std::int64_t peer = 0; peer < step.place->kvp; ++peer) {
    for (std::int64_t b = 0; b < step.rows; ++b) {
      for (std::int64_t h = 0; h < owned; ++h) {
        std::memcpy(to, at(from, b, peer * owned + h), head_bytes);
        to += head_bytes;
      }
    }
  }
}

}  // namespace

int exchange(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Instance& self = *static_cast<Instance*>(instance);
  const hxc_step& any = *ranks[0];
  const auto lanes = static_cast<std::size_t>(any.rows * any.place->owned_heads);
  const std::int64_t latent = any.model->kv_lora_rank, statistics = any.lse.shape[2];
  const std::size_t o_bytes =
      lanes * static_cast<std::size_t>(latent * element_bytes(any.partial_o));
  const std::size_t lse_bytes = lanes * static_cast<std::size_t>(statistics) * sizeof(float);
  std::vector<const void*>& send = self.send;
  std::vector<void*>& receive = self.receive;
  for (std::size_t i = 0; i < self.ranks.size(); ++i) {
    pack(*ranks[i], ranks[i]->partial_o, latent, self.ranks[i].send.data());
    send[i] = self.ranks[i].send.data();
    receive[i] = ranks[i]->exchanged.data;
  }
  if (const int status = comm->all_to_all(comm, HXC_GROUP_KVP, send.data(), receive.data(), o_bytes,
                                          any.step, error)) {
    return status;
  }
  for (std::size_t i = 0; i < self.ranks.size(); ++i) {
    pack(*ranks[i], ranks[i]->lse, statistics, self.ranks[i].send.data());
    receive[i] = ranks[i]->exchanged_lse.data;
  }
  return comm->all_to_all(comm, HXC_GROUP_KVP, send.data(), receive.data(), lse_bytes, any.step,
                          error);
}

}  // namespace helixcheck::cpu
