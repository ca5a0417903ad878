// Runs single scenarios for whoever confirms and shrinks failures: in a worker of its own, so that
// a scenario that kills the worker is an observation like any other.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaign/observation.hpp"
#include "fuzz/worker_process.hpp"

namespace helixcheck {

// A worker's end as the failure of the case it was at.
Observation observation_of(const WorkerEnd& end, const std::string& property,
                           const std::string& subject);

class Evaluator {
 public:
  Evaluator(WorkerSetup setup, std::filesystem::path journal, std::function<bool()> interrupted);

  // What is looked for: "leak" makes leaks visible, "hang" makes the time limit short, since a
  // scenario that is tried many times while shrinking must not take a minute each time.
  void look_for(const std::string& kind) {
    wanted_ = kind;
    output_.clear();
  }

  // As RunCase. A worker's end is a failure of a kind of fuzz/ending.hpp. Throws ResourceError if
  // no worker can be started, or if interrupted.
  std::optional<Observation> run(const Scenario& scenario, const Property& property, bool repeat);
  // As FreshRun: in a worker that has run nothing before.
  std::optional<Observation> run_afresh(const std::vector<Scenario>& scenarios,
                                        const Property& property);

  // The end of what the last worker that ended since look_for() had printed.
  const std::string& output() const { return output_; }

 private:
  void start();
  std::optional<Answer> ask(const Scenario& scenario, const Property& property, bool repeat);
  std::optional<Observation> observed(const std::optional<Answer>& answer,
                                      const Property& property) const;

  WorkerSetup setup_;
  std::filesystem::path journal_;
  std::function<bool()> interrupted_;
  std::string wanted_, output_, subject_;
  std::unique_ptr<WorkerProcess> worker_;
};

}  // namespace helixcheck
