// How a worker's process came to its end, in the words of findings.

#pragma once

#include <optional>
#include <string>

#include "fuzz/journal.hpp"
#include "shrink/signature.hpp"

namespace helixcheck {

struct WorkerEnd {
  std::string kind;                  // "crash", "hang", "out_of_memory", "sanitizer", "exit"
  std::string sentence;              // "worker ended by SIGSEGV in stage attend of step 3"
  std::optional<std::string> stage;  // of the subject that it was in
  bool from_outside = false;         // perhaps: a kill that neither supervisor nor subject sent
  std::optional<int> exit_status{};  // if no signal ended it
};

// A worker whose connection was closed ends itself with this status.
inline constexpr int kDisconnected = 107;

// What the supervisor did to it, if anything.
enum class Killed { no, for_time, for_memory, for_silence, for_nonsense };

struct EndEvidence {
  int wait_status = 0;
  Killed killed = Killed::no;
  double seconds = 0;       // that it had taken when it was killed for time
  std::uint64_t bytes = 0;  // that it used when it was killed for memory
  std::string output;       // the end of what it printed
  std::string stage;        // "" = none
  std::int64_t step = -1;
  bool in_subject = false;  // the stage is the subject's, not the harness's
};

WorkerEnd end_of(const EndEvidence& evidence);

}  // namespace helixcheck
