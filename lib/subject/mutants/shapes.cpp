// Faults of shapes and strides that somebody took for granted.

#include "subject/cpu/append.hpp"
#include "subject/cpu/attend.hpp"
#include "subject/cpu/project.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AppendDecisions;
using cpu::AttendDecisions;
using cpu::ProjectDecisions;

// The cache's strides as its shape would have them.
std::byte* dense_address(const hxc_step& step, std::int64_t page_id, std::int64_t row) {
  const std::int64_t base = page_id * step.cache.stride[0];  // ids may begin anywhere
  return static_cast<std::byte*>(step.cache.data) +
         (base + row * step.cache.shape[2]) * element_bytes(step.cache);
}
struct ReadWithoutGaps : AttendDecisions {
  static const std::byte* key(const hxc_step& step, std::int64_t request, std::int64_t local) {
    const std::int64_t page = step.place->tokens_per_block;
    return dense_address(step, int_at(step.block_table, request, local / page), local % page);
  }
};
struct WrittenWithoutGaps : AppendDecisions {
  static std::byte* address(const hxc_step& step, std::int64_t slot) {
    const std::int64_t page = step.place->tokens_per_block;
    return dense_address(step, slot / page, slot % page);
  }
};
struct NopeHeadsPacked : ProjectDecisions {
  static const std::byte* query_source(const hxc_step& step, std::int64_t row, std::int64_t head) {
    return at(step.q_nope, row) + head * step.model->qk_nope_head_dim * element_bytes(step.q_nope);
  }
};
struct NormWithOneStride : ProjectDecisions {
  static const std::byte* latent_source(const hxc_step& step, std::int64_t row) {
    return at(step.kv_c, 0) + row * step.model->kv_lora_rank * element_bytes(step.kv_c);
  }
};

// A wrapper for one head count that returns nothing for single query tokens over fp8.
int nothing_for_32_heads(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const bool wrapped = step.place->heads == 32 && step.model->kv_dtype == HXC_FP8_E4M3;
    if (!wrapped || several_tokens(step)) continue;
    for (std::int64_t row = 0; row < step.rows; ++row) AttendDecisions::write_empty(step, row);
  }
  return status;
}

// Where keys are split, heads are stored in blocks of 128, and the workspace ends behind the last
// real one: what stands in for the next head (here the last one once more) lands in the LSEs.
int stores_padding_heads(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  constexpr std::int64_t kBlock = 128;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t heads = step.place->heads;
    for (std::int64_t row = 0; heads % kBlock != 0 && row < step.rows; ++row) {
      if (int_at(step.visible, row) <= cpu::kTile) continue;
      const std::uint32_t code =
          load_code(dtype_of(step.partial_o), at(step.partial_o, row, heads - 1), 0);
      float_at(step.lse, row, 0) = static_cast<float>(decode(dtype_of(step.partial_o), code));
    }
  }
  return status;
}

constexpr MutantClass kClass = MutantClass::shapes;

constexpr Mutant kMutants[] = {
    mutant<"cache_read_without_gaps", HXC_ATTEND, cpu::attend_with<ReadWithoutGaps>>(
        kClass, "the cache is read with strides from its shape", "Dao-AILab/flash-attention#2666",
        "ctx_len=1 row_gap=1 kv_cache_tokens_per_block=2"),
    mutant<"cache_written_without_gaps", HXC_APPEND, cpu::append_with<WrittenWithoutGaps>>(
        kClass, "the cache is written with strides from its shape", "FlagOpen/FlagGems#5235",
        "entry=core ctx_len=1 row_gap=1 kv_cache_tokens_per_block=2"),
    mutant<"query_heads_taken_packed", HXC_PROJECT, cpu::project_with<NopeHeadsPacked>>(
        kClass, "un-roped parts of queries are taken to lie side by side", "ROCm/aiter#3841",
        "num_heads=2"),
    mutant<"norm_with_one_stride", HXC_PROJECT, cpu::project_with<NormWithOneStride>>(
        kClass, "the norm reads rows at the stride it writes them",
        "like NVIDIA/TensorRT-LLM#12089", "ctx_len=0,0"),
    mutant<"nothing_for_32_heads", HXC_ATTEND, nothing_for_32_heads>(
        kClass, "32 heads a rank and single tokens over an fp8 cache return nothing",
        "vllm-project/vllm#42956", "num_heads=32 kv_cache_dtype=fp8_e4m3"),
    mutant<"store_of_padding_heads", HXC_ATTEND, stores_padding_heads>(
        kClass, "where keys are split, a head that pads a block of 128 lands in the LSEs",
        "NVIDIA/TensorRT-LLM#15138", "ctx_len=64"),
};

}  // namespace

std::span<const Mutant> shapes() {
  return kMutants;
}

}  // namespace helixcheck::planted
