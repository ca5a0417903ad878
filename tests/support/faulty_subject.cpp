// Each entry disturbs its inputs or outputs around a call of the right stage.

#include "support/faulty_subject.hpp"

#include <algorithm>
#include <numbers>
#include <vector>

#include "mla/formats.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"
#include "support/override_table.hpp"

namespace helixcheck {
namespace {

int append_flipping_a_bit(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::append(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks && ranks[i]->is_prompt == 0; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t slot = int_at(step.slot, 0);
    if (slot < 0) continue;
    const std::int64_t page = step.place->tokens_per_block;
    std::byte* row = at(step.cache, slot / page, slot % page);
    const Dtype dtype = dtype_of(step.cache);
    const std::int64_t element = std::min<std::int64_t>(3, step.cache.shape[2] - 1);
    const std::uint32_t bit = 1u << (traits(dtype).mantissa_bits - 1);
    store_code(dtype, row, element, load_code(dtype, row, element) ^ bit);
    break;
  }
  return status;
}

// The row goes where this rank's next own row would go.
int append_on_every_rank(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::int64_t> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    kept.push_back(int_at(step.slot, 0));
    if (step.is_prompt != 0 || kept.back() >= 0) continue;
    const std::int64_t page = step.place->tokens_per_block, local = int_at(step.local_len, 0);
    int_at(step.slot, 0) = int_at(step.block_table, 0, local / page) * page + local % page;
  }
  const int status = cpu::append(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    int_at(ranks[i]->slot, 0) = kept[static_cast<std::size_t>(i)];
  }
  return status;
}

int attend_dropping_a_key(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::vector<std::int64_t>> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::int64_t* visible = &int_at(step.visible, 0);
    kept.emplace_back(visible, visible + step.rows);
    if (step.place->kvp_rank != step.place->kvp - 1) continue;
    for (std::int64_t row = 0; row < step.rows; ++row) {
      visible[row] = std::max<std::int64_t>(visible[row] - 1, 0);
    }
  }
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    std::copy(kept[static_cast<std::size_t>(i)].begin(), kept[static_cast<std::size_t>(i)].end(),
              &int_at(ranks[i]->visible, 0));
  }
  return status;
}

int attend_writing_the_cache(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  const hxc_step& step = *ranks[0];
  const std::int64_t page = int_at(step.block_table, 0, 0);
  *at(step.cache, page, 0, 1) ^= std::byte{1};
  return status;
}

int combine_reading_log2(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::vector<float>> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_tensor& lse = ranks[i]->exchanged_lse;
    float* values = &float_at(lse, 0);
    const std::int64_t n = lse.shape[0] * lse.stride[0];
    kept.emplace_back(values, values + n);
    for (std::int64_t j = 0; j < n; ++j) values[j] *= std::numbers::ln2_v<float>;
  }
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const std::vector<float>& values = kept[static_cast<std::size_t>(i)];
    std::copy(values.begin(), values.end(), &float_at(ranks[i]->exchanged_lse, 0));
  }
  return status;
}

// The statistics a rank should send are lost: receivers keep what their buffers held.
int exchange_without_statistics(void* self, hxc_step* const* ranks, hxc_comm* comm,
                                hxc_error* error) {
  std::vector<hxc_tensor> kept;
  std::vector<std::vector<std::byte>> aside(static_cast<std::size_t>(comm->local_ranks));
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    hxc_tensor& lse = ranks[i]->exchanged_lse;
    kept.push_back(lse);
    std::vector<std::byte>& bytes = aside[static_cast<std::size_t>(i)];
    bytes.resize(static_cast<std::size_t>(lse.shape[0] * lse.stride[0]) * sizeof(float));
    lse.data = bytes.data();
  }
  const int status = cpu::exchange(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    ranks[i]->exchanged_lse = kept[static_cast<std::size_t>(i)];
  }
  return status;
}

}  // namespace

const hxc_subject& faulty_subject(Fault fault) {
  switch (fault) {
    case Fault::flipped_cache_bit:
      return override_table<HXC_APPEND, append_flipping_a_bit>("flipped_cache_bit");
    case Fault::second_writer:
      return override_table<HXC_APPEND, append_on_every_rank>("second_writer");
    case Fault::dropped_key:
      return override_table<HXC_ATTEND, attend_dropping_a_key>("dropped_key");
    case Fault::late_write:
      return override_table<HXC_ATTEND, attend_writing_the_cache>("late_write");
    case Fault::log2_merge: return override_table<HXC_COMBINE, combine_reading_log2>("log2_merge");
    case Fault::lost_statistics:
      return override_table<HXC_EXCHANGE, exchange_without_statistics>("lost_statistics");
  }
  return cpu::subject();
}

}  // namespace helixcheck
