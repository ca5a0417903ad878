// What a search and the ranks that run its scenarios say to each other: bytes between processes of
// one executable on one host.

#pragma once

#include <optional>
#include <string>

#include "process/packing.hpp"
#include "run/run.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

struct RunOrder {
  Scenario scenario;
  bool repeat_failures = true;
};

// How a run went for one rank. Only the root's result says more than that it went well.
struct RunAnswer {
  enum class Outcome { done, subject_error, input_error, resource_error };
  Outcome outcome = Outcome::done;
  std::string message;         // of the error
  std::optional<Stage> stage;  // of a subject's error, where one is to blame
  RunResult result;            // verdict without notes and mismatch, hash, repetition
};

std::string pack(const RunOrder& order);
std::string pack(const RunAnswer& answer);
RunOrder unpack_order(const std::string& bytes);
RunAnswer unpack_answer(const std::string& bytes);

void pack(Packer& to, const Blame& blame);
Blame unpack_blame(Unpacker& from);

}  // namespace helixcheck
