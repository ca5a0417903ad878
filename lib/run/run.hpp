// Running one scenario from value to verdict.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "helix/taps.hpp"
#include "mla/accelerator.hpp"
#include "mla/inputs.hpp"
#include "scenario/scenario.hpp"
#include "subject/subject.hpp"
#include "verdict/contract.hpp"
#include "verdict/verdict.hpp"
#include "world/world.hpp"

namespace helixcheck {

// Seconds spent on each part of a run, on the root.
struct Phases {
  double inputs = 0;   // values drawn or read
  double subject = 0;  // instance creation, stages, collectives, taps
  double judge = 0;    // reference and comparison
  double total() const { return inputs + subject + judge; }
};

struct RunResult {
  Scenario scenario;
  std::string subject;    // its name
  std::string argument;   // how the command line names it; "" = by its name
  std::string property;   // it was checked under; "" = equivalence
  std::string signature;  // of the failure; "" where it passed or is not known
  Verdict verdict;
  Phases phases;
  std::uint64_t output_hash = 0;  // FNV-1a over the bits of the results of every step, all ranks
  bool repeated = false;          // a failing run was run again
  bool same_again = true;         // and failed alike, with the same bits
  std::string ended;              // "crash", "hang": what became of its processes; "" = nothing
};

struct RunOptions {
  std::optional<std::string> contract;  // instead of what the subject declares
  Observer* listener = nullptr;         // sees every tap before the judge does
  Accelerator* accelerator = nullptr;   // for the judge's large products
  const Inputs* inputs = nullptr;  // of a scenario that is run, made before; else each run makes
                                   // its own. Other scenarios have nothing of them
  bool repeat_failures = true;     // once, to see whether the verdict changes
  // Runs the scenarios of `equivalence` in other processes; empty: in this one, on `sim`.
  std::function<RunResult(const Scenario& scenario, bool repeat_failures)> elsewhere = {};
};

// What a subject declares for each stage, or `options.contract` for all. Throws InputError for a
// contract that does not exist.
StageContracts contracts_of(const Subject& subject, const RunOptions& options);

// The simulated world of a scenario's size.
std::unique_ptr<World> make_sim_world(const Scenario& scenario);

// Throws InputError if the scenario needs more memory than is free, naming both figures.
void require_memory(const Scenario& scenario);
// The same of the device that this process's ranks run on, where the subject runs on one. All ranks
// throw if one of them must.
void require_device_memory(const Scenario& scenario, const Subject& subject, World& world);

// Runs `scenario` (valid) on a world of its size. Throws InputError if it hides so much that its
// results cannot be judged. A run that fails is repeated once; a verdict that
// changes is reported as such. What the subject does wrong outside of taps (an error status, a
// collective the ranks disagree on) becomes a failed verdict too. On processes other than the root
// the result holds no verdict.
RunResult run_scenario(const Scenario& scenario, World& world, const Subject& subject,
                       const RunOptions& options = {});

}  // namespace helixcheck
