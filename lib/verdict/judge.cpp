// The judge's course: every step goes through the stages in pipeline order; what cannot be judged
// from its own inputs is judged end to end, at the end.

#include "verdict/judge.hpp"

#include <fmt/format.h>

#include "verdict/end_to_end.hpp"
#include "verdict/final_values.hpp"
#include "verdict/hidden_span.hpp"
#include "verdict/judge_state.hpp"
#include "verdict/mismatch.hpp"
#include "verdict/null_blame.hpp"

namespace helixcheck {
namespace {

bool runs(Entry entry, Stage stage) {
  if (entry == Entry::merge) return stage == Stage::combine;
  return entry == Entry::layer || (stage != Stage::project && stage != Stage::output);
}

// Whether a run of this problem has the tap at all.
bool applies(const Problem& problem, Tap tap) {
  const bool compressed_query = tap == Tap::q_a || tap == Tap::q_c;
  return runs(problem.entry, stage_of(tap)) && tap != Tap::block_table &&
         (!compressed_query || problem.q_lora_rank > 0);
}

void note_absent(JudgeState& state, const StepView& step) {
  for (int i = 0; i < kTapCount; ++i) {
    const Tap tap = static_cast<Tap>(i);
    if (applies(state.problem, tap) && step.find(0, tap) == nullptr) state.ledger.absent(tap);
  }
}

// The checks in pipeline order, by Stage.
constexpr std::array kChecks{judge_plan,     judge_project, judge_cache, judge_attend,
                             judge_exchange, judge_combine, judge_output};

void judge_stages(JudgeState& state, const StepView& step) {
  for (std::size_t i = 0; i < kChecks.size(); ++i) {
    state.stage = static_cast<Stage>(i);
    if (runs(state.problem.entry, state.stage)) kChecks[i](state, step);
  }
}

StageContracts everywhere(const Contract& contract) {
  StageContracts contracts;
  contracts.fill(&contract);
  return contracts;
}

}  // namespace

struct Judge::Impl {
  Impl(const Inputs& inputs, const StageContracts& contracts, Accelerator* accelerator)
      : state(inputs, contracts, accelerator), end_to_end(inputs) {
    forget();
  }
  ~Impl() {
    try {
      forget();
    } catch (const std::exception&) {  // a device that fails now is reported by its next use
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Another case's weights may come to lie where these do.
  void forget() {
    if (state.accelerator != nullptr) state.accelerator->forget();
  }

  JudgeState state;
  EndToEnd end_to_end;
  MismatchRule mismatch;
  std::string unjudged;
};

Judge::Judge(const Inputs& inputs, const Contract& contract, Accelerator* accelerator)
    : Judge(inputs, everywhere(contract), accelerator) {}

Judge::Judge(const Inputs& inputs, const StageContracts& contracts, Accelerator* accelerator)
    : impl_(std::make_unique<Impl>(inputs, contracts, accelerator)) {}

Judge::~Judge() = default;

void Judge::on_prompt(const PromptTaps& taps) {
  impl_->state.stage = Stage::project;
  judge_prompt(impl_->state, taps);
}

void Judge::on_event(const Step& step, const History& after) {
  impl_->state.mirror.follow(step, after);
}

void Judge::on_step(const StepTaps& taps) {
  JudgeState& state = impl_->state;
  const StepView step(state.scenario, state.geometry, taps);
  state.unanchored = false;
  note_absent(state, step);
  judge_stages(state, step);
  bool judged = true;
  if (state.scenario.run.verdict == VerdictRule::mismatch) {
    impl_->mismatch.judge(state, step, impl_->end_to_end.exact(step));
  } else if (state.unanchored) {
    judged = judge_hidden_span(state, step) || impl_->end_to_end.judge(state, step);
  }
  const Tap final = final_tap(state.problem.entry);
  judged = judged && (step.real_rows() == 0 || state.ledger.compared(final));
  if (!judged && impl_->unjudged.empty()) {
    impl_->unjudged = fmt::format("step {} hides what {} is made from", taps.step, name_of(final));
  }
  const bool failed_before = state.ledger.failed();
  state.ledger.close_step();
  if (state.ledger.failed() && !failed_before) {
    state.ledger.explain(explain_null_failure(state, step, *state.ledger.blame()));
  }
}

Verdict Judge::verdict() {
  const JudgeState& state = impl_->state;
  Verdict verdict = state.ledger.verdict();
  if (state.scenario.run.verdict != VerdictRule::mismatch) {
    verdict.unjudged = impl_->unjudged;
    return verdict;
  }
  verdict.mismatch = impl_->mismatch.result(state.scenario.run);
  verdict.pass = verdict.mismatch->pass;
  if (verdict.pass) {
    verdict.blame.reset();
  } else if (!verdict.blame) {
    const Tap tap = final_tap(state.problem.entry);
    verdict.blame = Blame{stage_of(tap),
                          tap,
                          {},
                          fmt::format("{:.2f} % of the values of {} miss atol + rtol |reference|",
                                      100 * verdict.mismatch->ratio, name_of(tap))};
  }
  return verdict;
}

}  // namespace helixcheck
