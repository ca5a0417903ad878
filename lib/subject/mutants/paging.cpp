// Faults of the walk through the paged cache.

#include <algorithm>

#include "subject/cpu/append.hpp"
#include "subject/cpu/attend.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/plan.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AppendDecisions;
using cpu::AttendDecisions;

std::byte* at_offset(const hxc_tensor& cache, std::int64_t elements) {
  return static_cast<std::byte*>(cache.data) + elements * element_bytes(cache);
}

std::int64_t table_at(const hxc_step& step, std::int64_t request, std::int64_t page) {
  return int_at(step.block_table, request, page);
}

template <typename Offset>
struct NarrowPageOffset : AttendDecisions {
  static const std::byte* key(const hxc_step& step, std::int64_t request, std::int64_t local) {
    const std::int64_t page = step.place->tokens_per_block;
    const auto offset =
        static_cast<Offset>(table_at(step, request, local / page) * step.cache.stride[0]);
    return at_offset(step.cache, offset + local % page * step.cache.stride[1]);
  }
};
struct SlotOffsetOf32Bits : AppendDecisions {
  static std::byte* address(const hxc_step& step, std::int64_t slot) {
    const std::int64_t page = step.place->tokens_per_block;
    return at_offset(step.cache, static_cast<std::int32_t>(slot / page * step.cache.stride[0] +
                                                           slot % page * step.cache.stride[1]));
  }
};
// Pages are taken to follow the first one, as far as the pool goes.
struct ContiguousPages : AttendDecisions {
  static const std::byte* key(const hxc_step& step, std::int64_t request, std::int64_t local) {
    const std::int64_t page = step.place->tokens_per_block;
    const std::int64_t id = table_at(step, request, 0) + local / page;
    return at(step.cache, std::min(id, step.cache.shape[0] - 1), local % page);
  }
};
// The table's rows are taken to be as long as the longest request needs.
struct TableRowsPacked : AttendDecisions {
  static const std::byte* key(const hxc_step& step, std::int64_t request, std::int64_t local) {
    const std::int64_t page = step.place->tokens_per_block;
    std::int64_t pages = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      pages = std::max(pages, (int_at(step.local_len, r) + page - 1) / page);
    }
    const std::int64_t flat = request * pages + local / page;
    const std::int64_t columns = step.block_table.shape[1];
    const std::int64_t id = table_at(step, flat / columns, flat % columns);
    const std::int64_t own = table_at(step, request, local / page);
    return at(step.cache, id >= 0 ? id : own, local % page);
  }
};
// Pages are walked in tiles of keys: what a tile reads behind the last one enters the product with
// weight zero.
struct LastPageInFull : AttendDecisions {
  static std::int64_t keys(const hxc_step& step, std::int64_t request) {
    const std::int64_t page = step.place->tokens_per_block;
    return (int_at(step.local_len, request) + page - 1) / page * page;
  }
  static std::int64_t multiplied(std::int64_t, std::int64_t count) { return count; }
};
// A token at a page's begin is looked up in the page before.
struct PageBeforeAtBegin : PlanDecisions {
  static std::int64_t page_id(const PlannedRow& row, std::int64_t page) {
    const bool begins = row.before % row.step.place->tokens_per_block == 0;
    return PlanDecisions::page_id(row, begins && page > 0 ? page - 1 : page);
  }
};
// A token's page is read from the table row of the request before, behind whose end its own lies.
struct AdjacentTableRow : PlanDecisions {
  static std::int64_t page_id(const PlannedRow& row, std::int64_t page) {
    const std::int64_t columns = row.step.block_table.shape[1];
    if (row.request == 0 || page + 1 < columns) return PlanDecisions::page_id(row, page);
    const std::int64_t other = int_at(row.step.block_table, row.request - 1, page);
    return other >= 0 ? other : PlanDecisions::page_id(row, page);
  }
};

// Rows that are not written here land in the first slot of the pool.
int unowned_rows_written(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  auto& instance = *static_cast<cpu::Instance*>(self);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::int64_t first = -1;  // page of the rank
    for (std::int64_t r = 0; r < step.request_count && first < 0; ++r) {
      first = step.is_prompt != 0 ? -1 : int_at(step.block_table, r, 0);
    }
    const std::int64_t width = step.model->kv_lora_rank + step.model->qk_rope_head_dim;
    for (std::int64_t b = 0; first >= 0 && b < step.rows; ++b) {
      if (int_at(step.slot, b) >= 0) continue;
      float* row = instance.scratch.narrow.data();
      cpu::widen_rows(step.latent, b, 1, row, width);
      for (std::int64_t j = 0; j < width; ++j) row[j] /= static_cast<float>(step.model->kv_scale);
      encode_from(dtype_of(step.cache), {row, static_cast<std::size_t>(width)},
                  at(step.cache, first, 0));
    }
  }
  return cpu::append(self, ranks, comm, error);
}

template <Text id, typename Decisions>
constexpr Mutant reading(std::string_view title, std::string_view source,
                         std::string_view smallest) {
  return mutant<id, HXC_ATTEND, cpu::attend_with<Decisions>>(MutantClass::paging, title, source,
                                                             smallest);
}
template <Text id, typename Decisions>
constexpr Mutant planning(std::string_view title, std::string_view source,
                          std::string_view smallest) {
  return mutant<id, HXC_PLAN, cpu::plan_with<Decisions>>(MutantClass::paging, title, source,
                                                         smallest);
}

constexpr Mutant kMutants[] = {
    reading<"page_offset_int32", NarrowPageOffset<std::int32_t>>(
        "page id x page stride in 32 bits", "vllm-project/vllm#47671", "page_id_base=715827882"),
    reading<"page_offset_uint32", NarrowPageOffset<std::uint32_t>>(
        "page id x page stride in 32 bits without a sign", "vllm-project/vllm#45500",
        "page_id_base=1431655765"),
    mutant<"slot_offset_int32", HXC_APPEND, cpu::append_with<SlotOffsetOf32Bits>>(
        MutantClass::paging, "slot x row stride in 32 bits", "lightseekorg/tokenspeed#501",
        "entry=core page_id_base=715827882"),
    reading<"pages_taken_contiguous", ContiguousPages>(
        "a request's pages are taken to follow the first", "flashinfer-ai/flashinfer#3219",
        "ctx_len=1 kv_cache_tokens_per_block=1"),
    reading<"page_table_rows_packed", TableRowsPacked>(
        "the block table's rows are taken to be as long as requests need",
        "like NVIDIA/cutlass#2221", "kvp=2 ctx_len=0,4 kv_cache_tokens_per_block=1"),
    reading<"last_page_read_in_full", LastPageInFull>(
        "slots behind the last key enter the product with weight zero",
        "flashinfer-ai/flashinfer#941", "kv_cache_tokens_per_block=2"),
    planning<"page_before_at_begin", PageBeforeAtBegin>(
        "the first token of a page is written to the page before", "NVIDIA/TensorRT-LLM#17866",
        "ctx_len=1 kv_cache_tokens_per_block=1"),
    planning<"page_of_adjacent_row", AdjacentTableRow>(
        "a token's page is read from the adjacent row of the table", "like vllm-project/vllm#53982",
        "ctx_len=0,0"),
    mutant<"unowned_rows_written_to_null_slot", HXC_APPEND, unowned_rows_written>(
        MutantClass::paging, "rows that are not stored here are written to the first slot",
        "like huggingface/transformers#46765", "entry=core ctx_len=1 padding_rows=1"),
};

}  // namespace

std::span<const Mutant> paging() {
  return kMutants;
}

}  // namespace helixcheck::planted
