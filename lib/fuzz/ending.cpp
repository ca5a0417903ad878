#include "fuzz/ending.hpp"

#include <array>
#include <csignal>
#include <fmt/format.h>
#include <string_view>
#include <sys/wait.h>

#include "process/child.hpp"

namespace helixcheck {
namespace {

// Their reports begin so, wherever they go on.
constexpr std::array<std::string_view, 6> kSanitizerMarks = {
    "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",     "WARNING: ThreadSanitizer",
    "ERROR: MemorySanitizer",  "WARNING: MemorySanitizer", "runtime error: "};

// The line that a sanitizer's report begins with; "" = there is none.
std::string sanitizer_line(const std::string& output) {
  for (const std::string_view mark : kSanitizerMarks) {
    const std::size_t at = output.find(mark);
    if (at == std::string::npos) continue;
    const std::size_t begin = mark == kSanitizerMarks.back() ? output.rfind('\n', at) + 1 : at;
    return output.substr(begin, std::min(output.find('\n', at), output.size()) - begin);
  }
  return "";
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
