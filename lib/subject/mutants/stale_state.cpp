// Faults of what is left of an earlier step.

#include <cstring>

#include "subject/cpu/attend.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/plan.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using Steps = std::vector<hxc_step>;

// Runs a stage on steps that `change` has put other inputs into: change(step, last, store) where
// `store` keeps the integers that the step then points to. `note` makes the memory of the step.
using Change = void (*)(hxc_step&, const LastStep&, std::vector<std::int64_t>&);
using Note = void (*)(const hxc_step&, LastStep&);

template <hxc_stage_fn stage, Change change, Note note>
int with_last_step(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Remembering& memory = *static_cast<Remembering*>(self);
  if (ranks[0]->is_prompt != 0) return stage(memory.cpu, ranks, comm, error);
  const auto count = static_cast<std::size_t>(comm->local_ranks);
  Steps steps;
  std::vector<hxc_step*> changed;
  std::vector<std::vector<std::int64_t>> stores(count);
  steps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    hxc_step& step = steps.emplace_back(*ranks[i]);
    const LastStep& last = memory.last[i];
    if (last.known) change(step, last, stores[i]);
    changed.push_back(&step);
  }
  const int status = stage(memory.cpu, changed.data(), comm, error);
  for (std::size_t i = 0; i < count; ++i) {
    note(*ranks[i], memory.last[i]);
    memory.last[i].known = true;
  }
  return status;
}

void note_lengths(const hxc_step& step, LastStep& last) {
  last.visible = integers_of(step.visible);
}
void note_first_lengths(const hxc_step& step, LastStep& last) {
  if (!last.known || last.visible.size() != static_cast<std::size_t>(step.rows)) {
    note_lengths(step, last);
  }
}
// Metadata at the addresses that a recorded graph has: those of a step of the same shape.
void old_lengths(hxc_step& step, const LastStep& last, std::vector<std::int64_t>& store) {
  if (last.visible.size() != static_cast<std::size_t>(step.rows)) return;
  store = last.visible;
  for (std::int64_t row = 0; row < step.rows; ++row) {  // never more than there is
    auto& seen = store[static_cast<std::size_t>(row)];
    seen = std::min(seen, int_at(step.visible, row));
  }
  step.visible = with_values(step.visible, store);
}

void note_table(const hxc_step& step, LastStep& last) {
  last.block_table = integers_of(step.block_table);
}
// Pages that the old table does not have are read from its first.
void old_table(hxc_step& step, const LastStep& last, std::vector<std::int64_t>& store) {
  const std::vector<std::int64_t> now = integers_of(step.block_table);
  if (last.block_table.size() != now.size()) return;
  store = last.block_table;
  const auto columns = static_cast<std::size_t>(step.block_table.shape[1]);
  for (std::size_t j = 0; j < store.size(); ++j) {
    const std::int64_t first = store[j / columns * columns];
    if (store[j] < 0 && now[j] >= 0) store[j] = first >= 0 ? first : now[j];
  }
  step.block_table = with_values(step.block_table, store);
}

// Whether the r-th request has the pages that it had on this rank; `shared` counts those.
bool keeps_pages(const hxc_step& step, const LastStep& last, std::size_t r, int& shared) {
  const auto columns = static_cast<std::size_t>(step.block_table.shape[1]);
  const std::vector<std::int64_t> now = integers_of(step.block_table);
  for (std::size_t j = r * columns; j < (r + 1) * columns; ++j) {
    const std::int64_t was = last.block_table[j];
    if (was < 0 || now[j] < 0) continue;
    if (was != now[j]) return false;
    ++shared;
  }
  return true;
}
// A step does not say who its requests are: one that has its place, prompt length and pages on all
// ranks, but fewer tokens, had some taken back.
bool rejected(hxc_step* const* ranks, const std::vector<LastStep>& last, std::size_t r) {
  const hxc_request& now = ranks[0]->requests[r];
  if (!last[0].known || r >= last[0].requests.size()) return false;
  const hxc_request& was = last[0].requests[r];
  const bool fewer = was.cached <= now.cached && now.cached < was.cached + was.query_tokens;
  int shared = 0;
  for (std::size_t i = 0; i < last.size(); ++i) {
    if (!keeps_pages(*ranks[i], last[i], r, shared)) return false;
  }
  return fewer && was.prompt_len == now.prompt_len && shared > 0;
}
// The scheduler's optimistic lengths: what was taken back since counts still.
int optimistic_lengths(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Remembering& memory = *static_cast<Remembering*>(self);
  const hxc_step& any = *ranks[0];
  std::vector<hxc_request> requests(any.requests, any.requests + any.request_count);
  for (std::size_t r = 0; r < requests.size(); ++r) {
    if (!rejected(ranks, memory.last, r)) continue;
    const hxc_request& was = memory.last[0].requests[r];
    requests[r].cached = was.cached + was.query_tokens;
  }
  const auto count = static_cast<std::size_t>(comm->local_ranks);
  Steps steps;
  std::vector<hxc_step*> changed;
  steps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    LastStep& last = memory.last[i];
    last.requests.assign(any.requests, any.requests + any.request_count);
    note_table(*ranks[i], last);
    last.known = true;
    steps.push_back(*ranks[i]);
    steps.back().requests = requests.data();
    changed.push_back(&steps.back());
  }
  return cpu::plan_with<PlanDecisions>(memory.cpu, changed.data(), comm, error);
}

std::size_t received_bytes(const hxc_step& step) {
  return static_cast<std::size_t>(step.exchanged.shape[0] * step.exchanged.stride[0] *
                                  element_bytes(step.exchanged));
}
// The next step's blocks arrive before the last step's were read, and the other way round: of the
// last peer, what came before is merged.
int buffer_not_waited_for(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Remembering& memory = *static_cast<Remembering*>(self);
  const int status = cpu::exchange(memory.cpu, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    LastStep& last = memory.last[static_cast<std::size_t>(i)];
    auto* bytes = static_cast<std::byte*>(step.exchanged.data);
    const std::vector<std::byte> now(bytes, bytes + received_bytes(step));
    const std::int64_t peers = step.place->kvp;
    if (last.known && last.exchanged.size() == now.size() && peers > 1) {
      const std::size_t block = now.size() / static_cast<std::size_t>(peers);
      std::memcpy(bytes + now.size() - block, last.exchanged.data() + now.size() - block, block);
    }
    last.exchanged = now;
    last.known = true;
  }
  return status;
}

// Buffers grow with the batch, but a step that was recorded before reads where they were then: what
// it received when it was recorded.
int buffer_grown_since(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Remembering& memory = *static_cast<Remembering*>(self);
  const int status = cpu::exchange(memory.cpu, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    LastStep& last = memory.last[static_cast<std::size_t>(i)];
    auto* bytes = static_cast<std::byte*>(ranks[i]->exchanged.data);
    const std::size_t size = received_bytes(*ranks[i]);
    const auto [recorded, first] = last.received.try_emplace(size, bytes, bytes + size);
    const bool grown = last.received.rbegin()->first > size;
    if (!first && grown) std::copy_n(recorded->second.begin(), size, bytes);
  }
  return status;
}

// Rows of no request keep what the memory held.
struct PaddingUnwritten : cpu::AttendDecisions {
  static void write_empty(const hxc_step& step, std::int64_t row) {
    if (row < step.rows - step.padding_rows) AttendDecisions::write_empty(step, row);
  }
};

// Of a smaller batch after a larger one, the begin of its last request's rows is the old one's:
// the row is planned for the request that was there.
int stale_row_starts(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Remembering& memory = *static_cast<Remembering*>(self);
  const int status = cpu::plan(memory.cpu, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    LastStep& last = memory.last[static_cast<std::size_t>(i)];
    const auto rows = static_cast<std::size_t>(step.rows);
    if (last.known && rows > 0 && rows < last.row_request.size()) {
      const std::int64_t request = last.row_request[rows - 1];
      if (request < step.request_count) int_at(step.row_request, step.rows - 1) = request;
    }
    last.row_request = integers_of(step.row_request);
    last.known = true;
  }
  return status;
}

template <Text id, hxc_stage stage, hxc_stage_fn run>
constexpr Mutant remembering(std::string_view title, std::string_view source,
                             std::string_view smallest) {
  return mutant<id, stage, run, true>(MutantClass::stale_state, title, source, smallest);
}

constexpr Mutant kMutants[] = {
    remembering<"stale_lengths", HXC_ATTEND,
                with_last_step<cpu::attend, old_lengths, note_lengths>>(
        "attention runs with the lengths of the step before", "vllm-project/vllm#35175",
        "decode_steps=2"),
    remembering<"stale_lengths_of_recording", HXC_ATTEND,
                with_last_step<cpu::attend, old_lengths, note_first_lengths>>(
        "attention runs with the lengths of the step that was recorded", "vllm-project/vllm#36611",
        "decode_steps=2"),
    remembering<"stale_block_table", HXC_ATTEND,
                with_last_step<cpu::attend, old_table, note_table>>(
        "attention runs with the block table of the step before", "vllm-project/vllm#36611",
        "decode_steps=2 kv_cache_tokens_per_block=1"),
    remembering<"stale_lengths_after_reject", HXC_PLAN, optimistic_lengths>(
        "rejected draft tokens still count in the next plan", "vllm-project/vllm-ascend#10032",
        "step=join step=decode step=reject step=decode"),
    remembering<"stale_receive_buffer", HXC_EXCHANGE, buffer_not_waited_for>(
        "a receive buffer is read before the new blocks are there", "lightseekorg/tokenspeed#1017",
        "kvp=2 decode_steps=2"),
    remembering<"stale_buffer_of_recording", HXC_EXCHANGE, buffer_grown_since>(
        "a recorded step reads the receive buffer of before a larger step grew it",
        "vllm-project/vllm#45487", "step=join step=decode step=decode::2 step=decode"),
    remembering<"stale_row_starts", HXC_PLAN, stale_row_starts>(
        "a smaller batch keeps the tail of a larger one's row starts", "vllm-project/vllm#40003",
        "padding_rows=1 step=join step=decode step=decode::0"),
    mutant<"stale_padding_rows", HXC_ATTEND, cpu::attend_with<PaddingUnwritten>>(
        MutantClass::stale_state, "padding rows keep what their memory held",
        "vllm-project/vllm#37442", "padding_rows=1"),
};

}  // namespace

std::span<const Mutant> stale_state() {
  return kMutants;
}

}  // namespace helixcheck::planted
