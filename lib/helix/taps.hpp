// Taps: the named values at stage boundaries, and the bundle of them that one step leaves behind.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scenario/history.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

enum class Stage { plan, project, append, attend, exchange, combine, output };
std::string_view name_of(Stage stage);

// In pipeline order: the first tap that fails names the first stage that went wrong.
// clang-format off
enum class Tap {
  // plan: integers; block_table is given to it and never judged
  block_table, position, slot, local_len, visible, row_request,
  // project
  q_a, q_c, q_nope, q, kv_c, latent,
  // append
  cache_rows, cache_spare,
  // attend; cache_late: nobody may write the cache after append
  partial_o, lse, cache_late,
  // exchange
  exchanged, exchanged_lse,
  // combine
  combined, combined_lse,
  // output
  v_up, o_partial, output,
};
// clang-format on
inline constexpr int kTapCount = static_cast<int>(Tap::output) + 1;
std::string_view name_of(Tap tap);
Stage stage_of(Tap tap);

// A dense row-major array on the judge's side.
struct TapView {
  bool present = false;
  bool integers = false;  // int64 instead of `dtype`
  Dtype dtype = Dtype::fp32;
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;
  std::int64_t elements() const;
  const std::int64_t* as_int64() const { return reinterpret_cast<const std::int64_t*>(data); }
};

using RankTaps = std::array<TapView, kTapCount>;

// What a request looked like in a step, from the logical history.
struct StepRequest {
  std::int64_t id = 0;
  std::int64_t prompt_len = 0;
  std::int64_t cached = 0;        // tokens before the step
  std::int64_t query_tokens = 0;  // new ones
};

// One decode step as the judge sees it (also the single "step" of a `merge` case).
//   cache_rows   per rank: for each request of the step in turn, its local rows in local order,
//   read
//                back through the page table right after `append`: [sum of local_len, R + P]
//   cache_spare  per rank, int64 [2]: bytes of the pool other than the step's new rows that were
//                written before the end of `append`, and the offset of the first (0, -1 if none)
//   cache_late   the same for bytes written after `append`
// Taps are taken right after the part that makes them. A step whose plan points outside its memory
// ends there: it shows the taps of `plan` alone, and is the last one.
struct StepTaps {
  std::int64_t step = 0;  // index into the expanded script
  std::span<const StepRequest> requests;
  std::span<const Row> rows;  // without padding rows
  std::int64_t padding_rows = 0;
  const History* history = nullptr;  // after the step
  std::vector<RankTaps> ranks;
};

// A run of prompt tokens as projected by their owners: the taps kv_c and latent, [n, R + P].
struct PromptTaps {
  std::int64_t step = 0;
  std::int64_t request = 0;
  struct RankRows {
    std::vector<std::int64_t> index;  // token indices of the rows, ascending
    TapView kv_c, latent;             // absent for `prompt: given`: latent alone
  };
  std::vector<RankRows> ranks;  // [world size]
  const History* history = nullptr;
};

// Receives everything a run shows, in order. Lives on the root.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_prompt(const PromptTaps& taps) = 0;
  virtual void on_step(const StepTaps& taps) = 0;
  // A script event that shows no taps: reject, finish, fork (join: before its prompt taps).
  virtual void on_event(const Step& step, const History& after) = 0;
};

}  // namespace helixcheck
