// Faults of collectives and of the layout of what they carry.

#include "subject/cpu/exchange.hpp"

#include <cstring>
#include <utility>

#include "subject/mutants/classes.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::ExchangeDecisions;

struct HeadsBeforeRows : ExchangeDecisions {
  static std::int64_t place(const hxc_step& step, std::int64_t peer, std::int64_t row,
                            std::int64_t h) {
    return (peer * step.place->owned_heads + h) * step.rows + row;
  }
};
struct RowsBeforePeers : ExchangeDecisions {
  static std::int64_t place(const hxc_step& step, std::int64_t peer, std::int64_t row,
                            std::int64_t h) {
    return (row * step.place->kvp + peer) * step.place->owned_heads + h;
  }
};
struct HeadsDealt : ExchangeDecisions {
  static std::int64_t head(const hxc_rank& place, std::int64_t peer, std::int64_t h) {
    return h * place.kvp + peer;
  }
};

std::size_t bytes_of(const hxc_tensor& dense) {
  std::int64_t elements = 1;
  for (std::int32_t axis = 0; axis < dense.rank; ++axis) elements *= dense.shape[axis];
  return static_cast<std::size_t>(elements * element_bytes(dense));
}

// Values arrive in reverse order of ranks, their LSEs do not.
int reversed_order(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::exchange(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_tensor& blocks = ranks[i]->exchanged;
    const std::int64_t parts = blocks.shape[0];
    const std::size_t bytes = bytes_of(blocks) / static_cast<std::size_t>(parts);
    std::vector<std::byte> kept(bytes);
    for (std::int64_t p = 0; p < parts / 2; ++p) {
      std::memcpy(kept.data(), at(blocks, p), bytes);
      std::memcpy(at(blocks, p), at(blocks, parts - 1 - p), bytes);
      std::memcpy(at(blocks, parts - 1 - p), kept.data(), bytes);
    }
  }
  return status;
}

// Statistics go through the format of activations.
int short_statistics(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::exchange(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_tensor& lse = ranks[i]->exchanged_lse;
    auto* values = reinterpret_cast<float*>(lse.data);
    for (std::size_t j = 0; j < bytes_of(lse) / sizeof(float); ++j) {
      values[j] = static_cast<float>(round_to(dtype_of(ranks[i]->exchanged), values[j]));
    }
  }
  return status;
}

// What is sent is packed into the memory that it is read from.
int send_aliases_input(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::vector<std::byte>> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::size_t bytes = bytes_of(step.partial_o);
    auto* input = static_cast<std::byte*>(step.partial_o.data);
    kept.emplace_back(input, input + bytes);
    cpu::pack_heads<ExchangeDecisions>(step, step.partial_o, step.model->kv_lora_rank, input);
    // The stage packs what lies there now; undone here, so that it sends just that.
    std::vector<std::byte> packed(input, input + bytes);
    const auto head =
        static_cast<std::size_t>(step.model->kv_lora_rank * element_bytes(step.partial_o));
    for (std::int64_t peer = 0; peer < step.place->kvp; ++peer) {
      for (std::int64_t b = 0; b < step.rows; ++b) {
        for (std::int64_t h = 0; h < step.place->owned_heads; ++h) {
          const auto from = static_cast<std::size_t>(ExchangeDecisions::place(step, peer, b, h));
          std::memcpy(at(step.partial_o, b, ExchangeDecisions::head(*step.place, peer, h)),
                      packed.data() + from * head, head);
        }
      }
    }
  }
  const int status = cpu::exchange(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const std::vector<std::byte>& bytes = kept[static_cast<std::size_t>(i)];
    std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(ranks[i]->partial_o.data));
  }
  return status;
}

bool has_keys(const hxc_step& step) {
  for (std::int64_t r = 0; r < step.request_count; ++r) {
    if (int_at(step.local_len, r) > 0) return true;
  }
  return false;
}

// What a tensor holds, dense; and its part `p` of `parts` as it was in `before`.
std::vector<std::byte> content_of(const hxc_tensor& tensor) {
  const auto* bytes = static_cast<const std::byte*>(tensor.data);
  return {bytes, bytes + bytes_of(tensor)};
}
void undo_part(const hxc_tensor& tensor, std::int64_t p, const std::vector<std::byte>& before) {
  const std::size_t bytes = before.size() / static_cast<std::size_t>(tensor.shape[0]);
  std::memcpy(at(tensor, p), before.data() + static_cast<std::size_t>(p) * bytes, bytes);
}

// A rank without keys leaves before the exchange: nothing of it arrives. (In one process nobody can
// wait for it.)
int empty_rank_leaves(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::vector<std::byte>> values, statistics;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    values.push_back(content_of(ranks[i]->exchanged));
    statistics.push_back(content_of(ranks[i]->exchanged_lse));
  }
  const int status = cpu::exchange(self, ranks, comm, error);
  if (comm->local_ranks != ranks[0]->place->kvp * ranks[0]->place->tpa) return status;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t group = i - step.place->kvp_rank;
    for (std::int64_t p = 0; p < step.place->kvp; ++p) {
      if (has_keys(*ranks[group + p])) continue;
      undo_part(step.exchanged, p, values[static_cast<std::size_t>(i)]);
      undo_part(step.exchanged_lse, p, statistics[static_cast<std::size_t>(i)]);
    }
  }
  return status;
}

// One workspace for all KVP groups of a process: the last one's values are what all of them read.
int workspace_of_two_groups(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::exchange(self, ranks, comm, error);
  const std::int32_t kvp = ranks[0]->place->kvp;
  for (std::int32_t i = 0; i + kvp < comm->local_ranks; ++i) {
    const std::int32_t last = comm->local_ranks - kvp + ranks[i]->place->kvp_rank;
    std::memcpy(ranks[i]->exchanged.data, ranks[last]->exchanged.data,
                bytes_of(ranks[i]->exchanged));
  }
  return status;
}

// The output projection takes its columns as if TPA ranks were the inner ones.
int other_rank_order(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<cpu::Rank>& all = static_cast<cpu::Instance*>(self)->ranks;
  std::vector<std::shared_ptr<const cpu::Matrix>> right;
  for (const cpu::Rank& rank : all) right.push_back(rank.weights.o);
  const hxc_rank& any = *ranks[0]->place;
  const bool whole_world = comm->local_ranks == any.kvp * any.tpa;
  for (std::size_t i = 0; whole_world && i < all.size(); ++i) {
    const hxc_rank& place = *ranks[i]->place;
    all[i].weights.o = right[static_cast<std::size_t>(place.kvp_rank * any.tpa + place.tpa_rank)];
  }
  const int status = cpu::output(self, ranks, comm, error);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].weights.o = right[i];
  return status;
}

template <Text id, typename Decisions>
constexpr Mutant packing(std::string_view title, std::string_view source,
                         std::string_view smallest) {
  return mutant<id, HXC_EXCHANGE, cpu::exchange_with<Decisions>>(MutantClass::exchange, title,
                                                                 source, smallest);
}
template <Text id, hxc_stage_fn run>
constexpr Mutant exchanging(std::string_view title, std::string_view source,
                            std::string_view smallest) {
  return mutant<id, HXC_EXCHANGE, run>(MutantClass::exchange, title, source, smallest);
}

constexpr Mutant kMutants[] = {
    packing<"exchange_heads_before_rows", HeadsBeforeRows>("blocks are packed [peer, head, row]",
                                                           "deepspeedai/DeepSpeed#5664",
                                                           "kvp=1 num_heads=2 padding_rows=1"),
    packing<"exchange_rows_before_peers", RowsBeforePeers>(
        "blocks are packed [row, peer, head]", "hpcaitech/Open-Sora#492", "kvp=2 padding_rows=1"),
    packing<"exchange_heads_dealt", HeadsDealt>("heads are dealt to peers one by one",
                                                "pytorch/torchtitan#3206", "kvp=2 num_heads=4"),
    exchanging<"exchange_order_reversed", reversed_order>("values arrive in reverse order of ranks",
                                                          "modelscope/ms-swift#10071", "kvp=2"),
    exchanging<"exchange_lse_in_bf16", short_statistics>(
        "LSEs travel in the format of activations", "like local-inference-lab/vllm#339", "kvp=1"),
    exchanging<"exchange_send_aliases_input", send_aliases_input>(
        "the send buffer lies where the partial results are", "vllm-project/vllm#42884",
        "kvp=2 padding_rows=1"),
    exchanging<"exchange_empty_rank_leaves", empty_rank_leaves>(
        "a rank without keys skips the collective", "vllm-project/vllm#53573", "kvp=2"),
    exchanging<"exchange_workspace_shared", workspace_of_two_groups>(
        "the KVP groups of a process share one workspace", "NVIDIA/TensorRT-LLM#9986",
        "kvp=1 tpa=2 ctx_len=1"),
    mutant<"output_slice_of_other_rank", HXC_OUTPUT, other_rank_order>(
        MutantClass::exchange, "the output projection has the slice of another rank order",
        "NVIDIA/TensorRT-LLM#10350", "kvp=2 tpa=2"),
};

}  // namespace

std::span<const Mutant> exchange() {
  return kMutants;
}

}  // namespace helixcheck::planted
