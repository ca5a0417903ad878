#include "fuzz/triage.hpp"

#include "campaign/attribute.hpp"
#include "scenario/error.hpp"

namespace helixcheck {

Triage::Triage(const WorkerSetup& setup, const std::filesystem::path& journal, Options options)
    : options_(std::move(options)),
      evaluator_(setup, journal, options_.interrupted),
      thread_([this] { work(); }) {}

Triage::~Triage() {
  {
    const std::lock_guard lock(guard_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Triage::know(const std::string& signature) {
  const std::lock_guard lock(guard_);
  known_.insert(signature);
}

void Triage::add(TriageJob job) {
  {
    const std::lock_guard lock(guard_);
    waiting_.push_back(std::move(job));
  }
  changed_.notify_all();
}

std::optional<TriageResult> Triage::take_result() {
  const std::lock_guard lock(guard_);
  if (results_.empty()) return std::nullopt;
  TriageResult result = std::move(results_.front());
  results_.pop_front();
  return result;
}

bool Triage::idle() const {
  const std::lock_guard lock(guard_);
  return waiting_.empty() && !at_work_ && results_.empty();
}

std::string Triage::doing() const {
  const std::lock_guard lock(guard_);
  return doing_;
}

void Triage::work() {
  for (;;) {
    std::optional<TriageJob> job;
    {
      std::unique_lock lock(guard_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (ending_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
      at_work_ = true;
      doing_ = job->only_suspected ? "repeating a case that was interrupted"
                                   : "shrinking " + to_text(job->failed.signature);
    }
    TriageResult result = judge(*std::move(job));
    const bool open = !result.finding ? !result.unsure.empty()
                                      : !result.finding->unconfirmed.empty() ||
                                            !result.finding->stopped_by.empty();
    const std::lock_guard lock(guard_);
    if (!open || !interrupted()) results_.push_back(std::move(result));
    at_work_ = false;
    doing_.clear();
  }
}

TriageResult Triage::judge(TriageJob job) {
  TriageResult result;
  result.as_seen = job.failed.signature;
  result.output = job.output;
  result.entry = job.entry;
  try {
    if (job.only_suspected) {
      repeat(std::move(job), result);
      return result;
    }
    return find(job.failed, job.before, result);
  } catch (const std::exception& error) {
    if (job.only_suspected) {
      result.unsure = error.what();
      return result;
    }
    result.finding = finding_as_seen(job.failed);
    result.finding->unconfirmed = error.what();
    return result;
  }
}

void Triage::repeat(TriageJob job, TriageResult& result) {
  evaluator_.look_for("");
  const std::optional<Observation> again =
      evaluator_.run_afresh({job.failed.at.drawn.scenario}, *job.failed.at.property);
  if (!again) return;
  job.failed.failure = again->failure;
  job.failed.signature = again->signature;
  result.as_seen = again->signature;
  result.output = evaluator_.output();
  result.repeated = std::move(job.failed);
}

TriageResult Triage::find(FailedCase failed, std::vector<Scenario> before, TriageResult result) {
  evaluator_.look_for(failed.signature.kind);
  const RunCase run_case = [this](const Scenario& scenario, const Property& property, bool repeat) {
    return evaluator_.run(scenario, property, repeat);
  };
  if (options_.attributes) failed = attributed(std::move(failed), run_case);
  {
    const std::lock_guard lock(guard_);
    result.known = known_.contains(to_text(failed.signature));
  }
  if (result.known) {
    result.finding = finding_as_seen(failed);
    return result;
  }
  ConfirmOptions options{options_.limits,
                         [this](const std::vector<Scenario>& scenarios, const Property& property) {
                           const auto seen = evaluator_.run_afresh(scenarios, property);
                           return seen ? std::optional(seen->signature) : std::nullopt;
                         }};
  options.limits.jobs = 1;
  options.limits.interrupted = options_.interrupted;
  result.finding = make_finding(failed, before, run_case, options);
  if (result.output.empty()) result.output = evaluator_.output();
  know(to_text(result.finding->signature));
  return result;
}

}  // namespace helixcheck
