#include "fuzz/ending.hpp"

#include <array>
#include <cctype>
#include <csignal>
#include <fmt/format.h>
#include <string_view>
#include <sys/wait.h>

#include "process/child.hpp"

namespace helixcheck {
namespace {

// Their reports begin so, wherever they go on.
constexpr std::array<std::string_view, 5> kSanitizerMarks = {
    "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
    "ERROR: MemorySanitizer", "WARNING: MemorySanitizer"};

std::string line_at(const std::string& output, std::size_t begin) {
  return output.substr(begin, std::min(output.find('\n', begin), output.size()) - begin);
}

// UndefinedBehaviorSanitizer's, "FILE:LINE:COLUMN: runtime error: ..."; others print such words,
// too.
std::string undefined_behaviour_line(const std::string& output) {
  constexpr std::string_view kMark = ": runtime error: ";
  for (std::size_t at = output.find(kMark); at != output.npos; at = output.find(kMark, at + 1)) {
    const bool place = at > 0 && std::isdigit(static_cast<unsigned char>(output[at - 1])) != 0;
    if (place) return line_at(output, output.rfind('\n', at) + 1);
  }
  return "";
}

// The line that a sanitizer's report begins with; "" = there is none.
std::string sanitizer_line(const std::string& output) {
  for (const std::string_view mark : kSanitizerMarks) {
    const std::size_t at = output.find(mark);
    if (at != output.npos) return line_at(output, at);
  }
  return undefined_behaviour_line(output);
}

std::string where(const EndEvidence& evidence) {
  if (evidence.stage.empty()) return "";
  if (!evidence.in_subject) return fmt::format(" after its stages, in \"{}\"", evidence.stage);
  return fmt::format(" in stage {} of step {}", evidence.stage, evidence.step);
}

}  // namespace

WorkerEnd end_of(const EndEvidence& evidence) {
  WorkerEnd end;
  if (evidence.in_subject) end.stage = evidence.stage;
  const std::string place = where(evidence);
  const int status = evidence.wait_status;
  if (WIFEXITED(status)) end.exit_status = WEXITSTATUS(status);
  if (evidence.killed == Killed::for_time) {
    end.kind = "hang";
    end.sentence = fmt::format("did not end within {:.1f} s{}", evidence.seconds, place);
  } else if (evidence.killed == Killed::for_memory) {
    end.kind = "out_of_memory";
    end.sentence = fmt::format("used {} MiB of memory{}", evidence.bytes >> 20, place);
  } else if (evidence.killed == Killed::for_silence ||
             (WIFEXITED(status) && WEXITSTATUS(status) == kDisconnected)) {
    end.kind = "exit";
    end.sentence = fmt::format("closed its connection to the supervisor{}", place);
  } else if (evidence.killed == Killed::for_nonsense) {
    end.kind = "exit";
    end.sentence = fmt::format("sent its supervisor what is no answer{}", place);
  } else if (const std::string line = sanitizer_line(evidence.output); !line.empty()) {
    end.kind = "sanitizer";
    end.sentence = fmt::format("{}{}", line, place);
  } else if (WIFSIGNALED(status)) {
    end.kind = "crash";
    end.sentence = fmt::format("was ended by {}{}", signal_name(WTERMSIG(status)), place);
    end.from_outside = WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM;
  } else {
    end.kind = "exit";
    end.sentence = fmt::format("ended its process with status {}{}", WEXITSTATUS(status), place);
  }
  return end;
}

}  // namespace helixcheck
