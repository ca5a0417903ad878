// Stage `exchange` as a template of its decisions, so that a mutant replaces exactly one of them.

#pragma once

#include <cstring>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

struct ExchangeDecisions {
  // Which of a rank's heads is the h-th that it sends to `peer`.
  static std::int64_t head(const hxc_rank& place, std::int64_t peer, std::int64_t h) {
    return peer * place.owned_heads + h;
  }
  // Where, in heads, it lies in what is sent: one block for each peer, rows in their order.
  static std::int64_t place(const hxc_step& step, std::int64_t peer, std::int64_t row,
                            std::int64_t h) {
    return (peer * step.rows + row) * step.place->owned_heads + h;
  }
};

// from [B, Ht, width] -> to [C, B, Hc, width], dense.
template <class Decisions>
void pack_heads(const hxc_step& step, const hxc_tensor& from, std::int64_t width, std::byte* to) {
  const std::int64_t owned = step.place->owned_heads;
  const auto head_bytes = static_cast<std::size_t>(width * element_bytes(from));
  for (std::int64_t peer = 0; peer < step.place->kvp; ++peer) {
    for (std::int64_t b = 0; b < step.rows; ++b) {
      for (std::int64_t h = 0; h < owned; ++h) {
        const auto place = static_cast<std::size_t>(Decisions::place(step, peer, b, h));
        std::memcpy(to + place * head_bytes, at(from, b, Decisions::head(*step.place, peer, h)),
                    head_bytes);
      }
    }
  }
}

template <class Decisions>
int exchange_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
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
    pack_heads<Decisions>(*ranks[i], ranks[i]->partial_o, latent, self.ranks[i].send.data());
    send[i] = self.ranks[i].send.data();
    receive[i] = ranks[i]->exchanged.data;
  }
  if (const int status = comm->all_to_all(comm, HXC_GROUP_KVP, send.data(), receive.data(), o_bytes,
                                          any.step, error)) {
    return status;
  }
  for (std::size_t i = 0; i < self.ranks.size(); ++i) {
    pack_heads<Decisions>(*ranks[i], ranks[i]->lse, statistics, self.ranks[i].send.data());
    receive[i] = ranks[i]->exchanged_lse.data;
  }
  return comm->all_to_all(comm, HXC_GROUP_KVP, send.data(), receive.data(), lse_bytes, any.step,
                          error);
}

}  // namespace helixcheck::cpu
