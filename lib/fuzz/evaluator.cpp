#include "fuzz/evaluator.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "generate/cost.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

// A scenario that is looked at for hanging: this, and many times its forecast.
constexpr double kHangSeconds = 0.5, kForecasts = 100;
constexpr int kStarts = 3;  // of a worker, until one is ready
// A kill that seems to come from outside says nothing about the scenario, unless it comes once more
// than this.
constexpr int kKills = 1;

std::optional<Stage> stage_named(const std::string& name) {
  for (int stage = 0; stage < HXC_STAGE_COUNT; ++stage) {
    if (name == stage_name(static_cast<hxc_stage>(stage))) return static_cast<Stage>(stage);
  }
  return std::nullopt;
}

}  // namespace

Observation observation_of(const WorkerEnd& end, const std::string& property,
                           const std::string& subject) {
  const std::optional<Stage> stage = end.stage ? stage_named(*end.stage) : std::nullopt;
  return {Failure{end.kind, Blame{stage, std::nullopt, {}, "the worker " + end.sentence}, {}},
          Signature{property, subject, end.kind, stage ? std::string(name_of(*stage)) : ""}};
}

Evaluator::Evaluator(WorkerSetup setup, std::filesystem::path journal,
                     std::function<bool()> interrupted)
    : setup_(std::move(setup)), journal_(std::move(journal)), interrupted_(std::move(interrupted)) {
  setup_.dump_stack = false;
}

void Evaluator::start() {
  // It may have ended since, which is not for the next case to answer.
  if (worker_) worker_->look();
  if (worker_ && worker_->idle() && !worker_->end()) return;
  for (int left = kStarts;; --left) {
    worker_.reset();  // the journal is for one at a time
    worker_ = std::make_unique<WorkerProcess>(setup_, journal_);
    worker_->wait(interrupted_);
    if (!worker_->end()) break;
    if (left == 1) {
      throw ResourceError(
          fmt::format("a worker cannot be started: it {}", worker_->end()->sentence));
    }
  }
  subject_ = worker_->subject();
}

// The answer, or none if the worker ended.
std::optional<Answer> Evaluator::ask(const Scenario& scenario, const Property& property,
                                     bool repeat) {
  const double short_limit = kHangSeconds + kForecasts * forecast_seconds(scenario);
  worker_->set_case_seconds(wanted_ == "hang" ? std::min(setup_.case_seconds, short_limit)
                                              : setup_.case_seconds);
  Order order;
  order.kind = Order::Kind::observe;
  order.scenario = scenario;
  order.property = property.name;
  order.kind_wanted = wanted_;
  order.repeat = repeat;
  worker_->order(order);
  std::optional<Answer> answer = worker_->wait(interrupted_);
  if (!answer) output_ = worker_->output_end();
  return answer;
}

std::optional<Observation> Evaluator::observed(const std::optional<Answer>& answer,
                                               const Property& property) const {
  if (!answer) return observation_of(*worker_->end(), std::string(property.name), subject_);
  if (!answer->error.empty()) throw ResourceError(answer->error);
  return answer->observation;
}

std::optional<Observation> Evaluator::run(const Scenario& scenario, const Property& property,
                                          bool repeat) {
  for (int kills = 0;; ++kills) {
    start();
    const std::optional<Answer> answer = ask(scenario, property, repeat);
    if (kills < kKills && !answer && worker_->end()->from_outside) continue;
    return observed(answer, property);
  }
}

std::optional<Observation> Evaluator::run_afresh(const std::vector<Scenario>& scenarios,
                                                 const Property& property) {
  for (int kills = 0;; ++kills) {
    worker_.reset();
    std::optional<Observation> last;
    bool killed = false;
    for (const Scenario& scenario : scenarios) {
      start();
      const std::optional<Answer> answer = ask(scenario, property, false);
      killed |= !answer && worker_->end()->from_outside;
      last = observed(answer, property);
    }
    if (!killed || kills == kKills) return last;
  }
}

}  // namespace helixcheck
