// What the stage checks share, and the checks themselves: one function a stage, each judging its
// taps against an fp64 recomputation from the taps that the stage received.

#pragma once

#include <span>
#include <vector>

#include "mla/accelerator.hpp"
#include "mla/inputs.hpp"
#include "verdict/cache_mirror.hpp"
#include "verdict/contract.hpp"
#include "verdict/geometry.hpp"
#include "verdict/ledger.hpp"
#include "verdict/linear_maps.hpp"
#include "verdict/step_view.hpp"

namespace helixcheck {

// Buffers that live as long as the judge, so that small cases allocate almost nothing.
struct Scratch {
  std::vector<double> hidden;  // [rows, D] of the step
  std::vector<double> query;   // [rows, H, R + P] of the step, `core`
  std::vector<double> input, want, bound, got;
  std::vector<double> magnitude, spread, lse;
  std::vector<std::byte> codes;
};

struct JudgeState {
  // `accelerated`: where large products are computed; nullptr: by the judge's own cores.
  JudgeState(const Inputs& given, const StageContracts& declared,
             Accelerator* accelerated = nullptr);

  const Inputs& inputs;
  const StageContracts contracts;
  const Scenario& scenario;
  const Problem& problem;
  Accelerator* const accelerator;
  Geometry geometry;
  LinearMaps weights;
  CacheMirror mirror;
  Ledger ledger;
  Scratch scratch;
  Stage stage = Stage::plan;  // whose taps are being judged
  bool unanchored = false;    // of this step: a value was shown but not what it was made from

  // Of the stage at hand; and what an empty shard looks like, which `attend` decides for all.
  const Contract& contract() const { return *contracts[static_cast<std::size_t>(stage)]; }
  EmptyShard empty_shard() const {
    return contracts[static_cast<std::size_t>(Stage::attend)]->empty;
  }

  // Notes that `tap` could not be judged from its own inputs.
  void lack_input(Tap tap);
};

// `buffer` with room for n values, as a span of them.
std::span<double> sized(std::vector<double>& buffer, std::int64_t n);

// Codes of [rows, columns]; consecutive rows are `stride` elements apart.
struct Codes {
  Dtype dtype = Dtype::bf16;
  const std::byte* data = nullptr;
  std::int64_t stride = 0;
  const std::byte* row(std::int64_t i) const;
};
// All of a tap as rows of `columns` elements, from row `first` on.
Codes rows_of(const TapView& tap, std::int64_t columns, std::int64_t first = 0);
// Widens `rows` rows of `columns` elements.
void widen_rows(const Codes& from, std::int64_t rows, std::int64_t columns,
                std::vector<double>& to);

// Bits of two taps agree.
bool same_bits(const TapView* a, const TapView* b);

// Hidden states of tokens as codes [tokens, D], in scratch.codes.
const std::byte* load_codes(JudgeState& state, std::span<const Token> tokens);
// Hidden states [rows, D] of the step's real rows, widened to scratch.hidden.
void load_hidden(JudgeState& state, std::span<const Row> rows);

// Judges y = W x row by row. `per_head` > 0: elements belong to heads first_head, first_head + 1
// ... in groups of that size. places: one for each row.
struct HeadAxis {
  std::int64_t first_head = -1;
  std::int64_t per_head = 0;
};
void judge_linear(JudgeState& state, Tally& tally, const LinearMap& map, std::span<const double> x,
                  const Codes& got, std::span<const Place> places, const HeadAxis& axis);

// Rotates x [P] to `position` into `want`, with the bound of each value.
void rotate_bounded(const JudgeState& state, std::int64_t position, std::span<const double> x,
                    std::span<double> want, std::span<double> bound);

// Judges latent rows [R + P]: the first R normed, the rest roped at positions[row].
void judge_latent(JudgeState& state, Tally& tally, const Codes& kv_c, const Codes& got,
                  std::span<const std::int64_t> positions, std::span<const Place> places);

// Compares one (row, head)'s statistics, as written in the scenario's form, with a natural-log LSE.
void compare_lse(const JudgeState& state, Tally& tally, const float* statistics, double want,
                 double bound, const Place& place);

void judge_plan(JudgeState& state, const StepView& step);
void judge_project(JudgeState& state, const StepView& step);
void judge_prompt(JudgeState& state, const PromptTaps& taps);
void judge_cache(JudgeState& state, const StepView& step);
void judge_attend(JudgeState& state, const StepView& step);
void judge_exchange(JudgeState& state, const StepView& step);
void judge_combine(JudgeState& state, const StepView& step);
void judge_output(JudgeState& state, const StepView& step);

}  // namespace helixcheck
