// What supervisor and workers say to each other: bytes between processes of one executable.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "campaign/observation.hpp"
#include "campaign/statistics.hpp"
#include "fuzz/guidance.hpp"
#include "scenario/scenario.hpp"
#include "store/records.hpp"

namespace helixcheck {

// A scenario that is run for what it is, not because it was drawn.
struct GivenCase {
  Scenario scenario;
  std::string property;
};

struct Order {
  enum class Kind { lease, given, observe };
  Kind kind = Kind::lease;

  // lease: run cases [first, first + count), but no longer than `seconds`.
  std::uint64_t first = 0, count = 0;
  double seconds = 0;
  std::vector<Discovery> learn;  // what other workers found worth going on from

  // given: run these, in this order.
  std::vector<GivenCase> cases;

  // observe: how a scenario fails. `kind_wanted` "leak" measures what its repetition leaves behind.
  Scenario scenario;
  std::string property;
  std::string kind_wanted;
  bool repeat = false;
};

struct FailedRun {
  std::uint64_t index = 0;
  std::string origin;  // as in store/records.hpp
  Scenario scenario;
  std::string property;
  Failure failure;
  Signature signature;
  std::vector<Scenario> before;  // what ran before it; only with the first of its signature
};

struct KeptCase {
  Discovery discovery;
  std::uint64_t index = 0;
  std::string property;
  std::string scenario;  // JSON
};

struct Answer {
  enum class Kind { ready, ran, observed };
  Kind kind = Kind::ready;

  // ready
  std::string subject;  // its name

  // ran: a lease or given cases, or a part of them
  bool more = false;           // there will be another answer to this order
  std::uint64_t done = 0;      // cases of it, since the answer before
  double busy_seconds = 0;     // inside cases
  std::uint64_t too_long = 0;  // left out: no room in the journal
  Statistics statistics;
  std::vector<FailedRun> failed;
  std::vector<KeptCase> kept;
  std::vector<CaseRecord> sampled;
  std::string observations;  // lines of JSON, one a case
  std::string worn;          // why this process should run nothing more; "" = it is as good as new

  // observed
  std::optional<Observation> observation;
  std::string error;  // why nobody can say; "" = said
};

std::string pack(const Order& order);
std::string pack(const Answer& answer);
// Throw ResourceError for what is cut off.
Order unpack_order_of_supervisor(const std::string& bytes);
Answer unpack_answer_of_worker(const std::string& bytes);

}  // namespace helixcheck
