// The CPU subject's stages over a cache that is disturbed before and restored after the call.

#include "support/key_faults.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"
#include "support/override_table.hpp"

namespace helixcheck {
namespace {

KeyFault planted;

std::byte* local_row(const hxc_step& step, std::int64_t local) {
  const std::int64_t page = step.place->tokens_per_block;
  return at(step.cache, int_at(step.block_table, 0, local / page), local % page);
}

// A cache row that holds another's bytes until the end of the scope.
class Overwritten {
 public:
  Overwritten(const hxc_step& step, std::int64_t local, std::int64_t source)
      : row_(local_row(step, local)) {
    const std::size_t bytes =
        static_cast<std::size_t>(step.cache.shape[2] * element_bytes(step.cache));
    kept_.assign(row_, row_ + bytes);
    std::copy_n(local_row(step, source), bytes, row_);
  }
  Overwritten(const Overwritten&) = delete;
  Overwritten& operator=(const Overwritten&) = delete;
  ~Overwritten() { std::copy(kept_.begin(), kept_.end(), row_); }

 private:
  std::byte* row_;
  std::vector<std::byte> kept_;
};

int attend_with_fault(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::unique_ptr<Overwritten>> rows;
  std::vector<hxc_step*> changed;
  std::int64_t more = 0;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    hxc_step& step = *ranks[i];
    if (step.place->kvp_rank != planted.kvp_rank) continue;
    const std::int64_t held = int_at(step.local_len, 0);
    std::int64_t target = planted.local, source = planted.other;
    if (planted.kind == KeyFaultKind::lost) {
      source = held - 1;  // the last key moves into the gap
      more = -1;
    } else if (planted.kind == KeyFaultKind::doubled) {
      target = held;
      source = planted.local;
      more = 1;
    }
    rows.push_back(std::make_unique<Overwritten>(step, target, source));
    int_at(step.visible, 0) += more;
    int_at(step.local_len, 0) += more;
    changed.push_back(&step);
  }
  const int status = cpu::attend(self, ranks, comm, error);
  for (hxc_step* step : changed) {
    int_at(step->visible, 0) -= more;
    int_at(step->local_len, 0) -= more;
  }
  return status;
}

// The view moves by what the offset of its first page in use loses.
template <bool is_signed, int (*stage)(void*, hxc_step* const*, hxc_comm*, hxc_error*)>
int wrapped(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<void*> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    hxc_tensor& cache = ranks[i]->cache;
    kept.push_back(cache.data);
    if (ranks[i]->is_prompt != 0) continue;
    const std::int64_t id = int_at(ranks[i]->block_table, 0);
    if (id < 0) continue;
    const std::int64_t offset = id * cache.stride[0];
    const std::int64_t lost =
        is_signed ? offset - static_cast<std::int32_t>(offset)
                  : offset - static_cast<std::int64_t>(static_cast<std::uint32_t>(offset));
    cache.data = static_cast<std::byte*>(cache.data) - lost * element_bytes(cache);
  }
  const int status = stage(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    ranks[i]->cache.data = kept[static_cast<std::size_t>(i)];
  }
  return status;
}

}  // namespace

const hxc_subject& key_fault_subject(const KeyFault& fault) {
  planted = fault;
  return override_table<HXC_ATTEND, attend_with_fault>("key_fault");
}

const hxc_subject& wrapping_subject(Wrap wrap) {
  switch (wrap) {
    case Wrap::append_signed:
      return override_table<HXC_APPEND, wrapped<true, cpu::append>>("append_signed");
    case Wrap::append_unsigned:
      return override_table<HXC_APPEND, wrapped<false, cpu::append>>("append_unsigned");
    case Wrap::attend_signed:
      return override_table<HXC_ATTEND, wrapped<true, cpu::attend>>("attend_signed");
    case Wrap::attend_unsigned:
      return override_table<HXC_ATTEND, wrapped<false, cpu::attend>>("attend_unsigned");
  }
  return cpu::subject();
}

}  // namespace helixcheck
