// Each fault wraps the built-in stage.

#include "broken_stages.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "mla/formats.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"
#include "support/override_table.hpp"

namespace helixcheck {
namespace {

std::map<void*, int>& calls_of_instances() {
  static std::map<void*, int> calls;
  return calls;
}

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  const int status = create_cpu(instance, model, places, weights, limits, error);
  calls_of_instances()[*instance] = 0;
  return status;
}

// Runs attend with `change(step)` done to its integers, and puts them back.
template <typename Change>
int attend_with(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error,
                Change change) {
  std::vector<std::vector<std::int64_t>> visible, lengths, tables;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t entries = step.request_count * step.block_table.shape[1];
    visible.emplace_back(&int_at(step.visible, 0), &int_at(step.visible, 0) + step.rows);
    lengths.emplace_back(&int_at(step.local_len, 0),
                         &int_at(step.local_len, 0) + step.request_count);
    tables.emplace_back(&int_at(step.block_table, 0), &int_at(step.block_table, 0) + entries);
    change(step);
  }
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const auto at = static_cast<std::size_t>(i);
    std::copy(visible[at].begin(), visible[at].end(), &int_at(ranks[i]->visible, 0));
    std::copy(lengths[at].begin(), lengths[at].end(), &int_at(ranks[i]->local_len, 0));
    std::copy(tables[at].begin(), tables[at].end(), &int_at(ranks[i]->block_table, 0));
  }
  return status;
}

int no_base(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::plan(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    for (std::int64_t row = 0; row < ranks[i]->rows; ++row) {
      int_at(ranks[i]->position, row) -= ranks[i]->model->position_base;
    }
  }
  return status;
}

int reads_beyond(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return attend_with(self, ranks, comm, error, [](const hxc_step& step) {
    std::int64_t& length = int_at(step.local_len, 0);
    if (length == 0 || length % step.place->tokens_per_block == 0) return;
    ++length;
    const std::int64_t rows = step.requests[0].query_tokens;
    for (std::int64_t row = 0; row < rows; ++row) ++int_at(step.visible, row);
  });
}

int sorted_pages(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return attend_with(self, ranks, comm, error, [](const hxc_step& step) {
    for (std::int64_t request = 0; request < step.request_count; ++request) {
      std::int64_t* first = &int_at(step.block_table, request);
      const std::int64_t page = step.place->tokens_per_block;
      std::sort(first, first + int_at(step.local_len, request) / page);
    }
  });
}

int loses_beside_padding(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return attend_with(self, ranks, comm, error, [](const hxc_step& step) {
    std::int64_t& seen = int_at(step.visible, 0);
    if (step.padding_rows > 0 && seen > 1) --seen;
  });
}

void scale_results(const hxc_step& step, float factor) {
  const Dtype dtype = dtype_of(step.combined);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    for (std::int64_t head = 0; head < step.place->owned_heads; ++head) {
      std::byte* values = at(step.combined, row, head);
      for (std::int64_t j = 0; j < step.model->kv_lora_rank; ++j) {
        const double value = decode(dtype, load_code(dtype, values, j));
        store_code(dtype, values, j, encode(dtype, value * factor));
      }
    }
  }
}

int first_of_calls(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  static int calls = 0;
  const int status = cpu::combine(self, ranks, comm, error);
  if (++calls % 2 == 1) scale_results(*ranks[0], 1.5f);
  return status;
}

int counts_calls(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  if (calls_of_instances()[self]++ > 0) scale_results(*ranks[0], 1.5f);
  return status;
}

int last_part_lost(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) --ranks[i]->exchanged.shape[0];
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) ++ranks[i]->exchanged.shape[0];
  return status;
}

int zero_times_nan(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  const hxc_step& step = *ranks[0];
  const Dtype dtype = dtype_of(step.combined);
  for (std::int64_t part = 0; part < step.exchanged.shape[0]; ++part) {
    const bool empty = float_at(step.exchanged_lse, part, 0, 0) < 0 &&
                       std::isinf(float_at(step.exchanged_lse, part, 0, 0));
    if (empty && std::isnan(decode(dtype, load_code(dtype, at(step.exchanged, part, 0, 0), 0)))) {
      store_code(dtype, at(step.combined, 0, 0), 0, encode(dtype, std::nan("")));
    }
  }
  return status;
}

int undivided(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) scale_results(*ranks[i], 1.7f);
  return status;
}

int lse_without_max(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  const hxc_step& step = *ranks[0];
  float top = -std::numeric_limits<float>::infinity();
  for (std::int64_t part = 0; part < step.exchanged.shape[0]; ++part) {
    top = std::max(top, float_at(step.exchanged_lse, part, 0, 0));
  }
  if (std::isfinite(top)) float_at(step.combined_lse, 0, 0) -= top;
  return status;
}

int sum_ignored(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  if (ranks[0]->place->lse_form != HXC_LSE_MAX_SUM) return cpu::combine(self, ranks, comm, error);
  const hxc_tensor lse = ranks[0]->exchanged_lse;
  std::vector<float> ones(static_cast<std::size_t>(lse.shape[0] * lse.stride[0]));
  std::copy_n(static_cast<const float*>(lse.data), ones.size(), ones.begin());
  for (std::size_t i = 1; i < ones.size(); i += 2) ones[i] = ones[i] > 0 ? 1.0f : 0.0f;
  ranks[0]->exchanged_lse.data = ones.data();
  const int status = cpu::combine(self, ranks, comm, error);
  ranks[0]->exchanged_lse = lse;
  return status;
}

}  // namespace

const hxc_subject& broken_subject(Broken fault) {
  switch (fault) {
    case Broken::no_base: return override_table<HXC_PLAN, no_base, create>("no_base");
    case Broken::reads_beyond:
      return override_table<HXC_ATTEND, reads_beyond, create>("reads_beyond");
    case Broken::sorted_pages:
      return override_table<HXC_ATTEND, sorted_pages, create>("sorted_pages");
    case Broken::loses_beside_padding:
      return override_table<HXC_ATTEND, loses_beside_padding, create>("loses_beside_padding");
    case Broken::first_of_calls:
      return override_table<HXC_COMBINE, first_of_calls, create>("first_of_calls");
    case Broken::counts_calls:
      return override_table<HXC_COMBINE, counts_calls, create>("counts_calls");
    case Broken::last_part_lost:
      return override_table<HXC_COMBINE, last_part_lost, create>("last_part_lost");
    case Broken::zero_times_nan:
      return override_table<HXC_COMBINE, zero_times_nan, create>("zero_times_nan");
    case Broken::undivided: return override_table<HXC_COMBINE, undivided, create>("undivided");
    case Broken::lse_without_max:
      return override_table<HXC_COMBINE, lse_without_max, create>("lse_without_max");
    case Broken::sum_ignored:
      return override_table<HXC_COMBINE, sum_ignored, create>("sum_ignored");
  }
  return cpu::subject();
}

}  // namespace helixcheck
