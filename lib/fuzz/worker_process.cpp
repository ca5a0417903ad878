#include "fuzz/worker_process.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "fuzz/worker.hpp"
#include "fuzz/worker_signals.hpp"
#include "process/child.hpp"
#include "process/frames.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr int kOrders = 3, kAnswers = 4;  // descriptors in the worker
constexpr std::size_t kOutputKept = std::size_t{64} << 10;
constexpr int kPollMs = 20;
constexpr int kReads = 32;  // of output at a time: its writer may be as fast
constexpr auto kStackDump = std::chrono::milliseconds(500);

std::uint64_t resident_bytes(int process) {
  std::ifstream statm(fmt::format("/proc/{}/statm", process));
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// A variable with a default in front of what the user has set, which wins.
std::string with_default(const char* variable, const std::string& fallback) {
  const char* set = std::getenv(variable);
  return set == nullptr || *set == '\0' ? fallback : fallback + ":" + set;
}

}  // namespace

struct WorkerProcess::Streams {
  Pipe orders, answers, output;
  FrameReader frames;
  Stopwatch since_start, since_end, since_case;
};

WorkerProcess::WorkerProcess(const WorkerSetup& setup, const std::filesystem::path& journal)
    : setup_(setup), journal_(journal), streams_(std::make_unique<Streams>()) {
  journal_.clear();
  ChildOrder order;
  order.arguments = setup.arguments;
  order.output = streams_->output.write_end();
  order.errors = streams_->output.write_end();
  order.files = {{streams_->orders.read_end(), kOrders}, {streams_->answers.write_end(), kAnswers}};
  order.environment = {
      {kSupervisorVariable, fmt::format("{}", getpid())},
      {kWorkerVariable,
       fmt::format("{}:{}:{}:{}", kOrders, kAnswers, setup.run_start, journal.string())},
      {"TSAN_OPTIONS", with_default("TSAN_OPTIONS", "halt_on_error=1")},
      {"ASAN_OPTIONS", with_default("ASAN_OPTIONS", "detect_leaks=0")},
      {"UBSAN_OPTIONS", with_default("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")}};
  process_ = spawn(order);
  streams_->orders.close_read_end();
  streams_->answers.close_write_end();
  streams_->output.close_write_end();
  fcntl(output(), F_SETFL, O_NONBLOCK);
  fcntl(answers(), F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
  if (end_) return;  // its number may be another process's by now
  kill(-process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

int WorkerProcess::answers() const {
  return stream_ended_ ? -1 : streams_->answers.read_end();
}

int WorkerProcess::output() const {
  return output_ended_ ? -1 : streams_->output.read_end();
}

void WorkerProcess::order(const Order& order) {
  ordered_ = true;
  streams_->since_case = Stopwatch();
  write_frame(streams_->orders.write_end(), pack(order));  // its end is noticed elsewhere
}

void WorkerProcess::read_output() {
  std::array<char, 1 << 16> buffer;
  for (int i = 0; i < kReads; ++i) {
    const ssize_t count = read(output(), buffer.data(), buffer.size());
    output_ended_ = count == 0;
    if (count <= 0) return;
    printed_ += static_cast<std::uint64_t>(count);
    output_.append(buffer.data(), static_cast<std::size_t>(count));
    if (output_.size() > 2 * kOutputKept) output_.erase(0, output_.size() - kOutputKept);
    if (count < static_cast<ssize_t>(buffer.size())) return;
  }
}

std::optional<Answer> WorkerProcess::look() {
  if (std::optional<Answer> earlier = next_answer(); earlier || end_) return earlier;
  read_output();
  if (!stream_ended_ && !streams_->frames.read_from(answers())) {
    stream_ended_ = true;
    streams_->since_end = Stopwatch();
  }
  std::optional<Answer> answer = next_answer();
  int status = 0;
  if (answer || end_) return answer;
  if (waitpid(process_, &status, WNOHANG) == process_) {
    streams_->frames.read_from(answers());  // said between the last look and its end
    finish(status);
    return next_answer();
  } else if (stream_ended_ && streams_->since_end.seconds() > setup_.farewell_seconds) {
    kill_for(Killed::for_silence);
  } else if (!stream_ended_) {
    enforce_limits();
  }
  return std::nullopt;
}

// What the code under test has spoilt may be no answer at all.
std::optional<Answer> WorkerProcess::next_answer() {
  try {
    while (const std::optional<std::string> frame = streams_->frames.next()) {
      Answer answer = unpack_answer_of_worker(*frame);
      if (answer.kind == Answer::Kind::ready) {
        subject_ = answer.subject;
        continue;
      }
      ordered_ = ordered_ && answer.more;
      return answer;
    }
  } catch (const std::exception&) {
    if (!end_) kill_for(Killed::for_nonsense);
  }
  return std::nullopt;
}

// How long an order has been worked on since the last case or the order itself.
double WorkerProcess::seconds_without_case() {
  const bool runs = running_seconds_ > 0 || journal_.begun() != cases_seen_;
  cases_seen_ = journal_.begun();
  if (runs || !ordered_) streams_->since_case = Stopwatch();
  return streams_->since_case.seconds();
}

void WorkerProcess::enforce_limits() {
  running_seconds_ = journal_.running_seconds();
  const double between = seconds_without_case();
  if (!ready() && streams_->since_start.seconds() > setup_.start_seconds) {
    running_seconds_ = streams_->since_start.seconds();
    return kill_for(Killed::for_time);
  }
  if (between > setup_.case_seconds + setup_.between_seconds) {
    running_seconds_ = between;
    return kill_for(Killed::for_time);
  }
  if (running_seconds_ > setup_.case_seconds) return kill_for(Killed::for_time);
  if (setup_.memory_bytes == 0) return;
  bytes_used_ = resident_bytes(process_);
  if (bytes_used_ > setup_.memory_bytes) kill_for(Killed::for_memory);
}

void WorkerProcess::kill_for(Killed why) {
  killed_ = why;
  if (why == Killed::for_time && setup_.dump_stack) {
    kill(process_, stack_dump_signal());
    std::this_thread::sleep_for(kStackDump);
  }
  kill(-process_, SIGKILL);
  int status = 0;
  waitpid(process_, &status, 0);
  finish(status);
}

void WorkerProcess::finish(int wait_status) {
  kill(-process_, SIGKILL);  // what it has started
  read_output();
  end_ = end_of(evidence(wait_status));
}

EndEvidence WorkerProcess::evidence(int wait_status) {
  EndEvidence evidence;
  evidence.wait_status = wait_status;
  evidence.killed = killed_;
  evidence.seconds = running_seconds_;
  evidence.bytes = bytes_used_;
  evidence.output = output_;
  if (!journal_.running()) return evidence;
  std::array<char, 32> buffer{};
  evidence.stage = journal_.life().stage(buffer);
  if (evidence.stage == "start") evidence.stage.clear();
  evidence.step = journal_.life().step();
  evidence.in_subject = journal_.life().life() == mpi::Life::working;
  return evidence;
}

std::optional<Answer> WorkerProcess::wait(const std::function<bool()>& interrupted) {
  while (!end_) {
    if (std::optional<Answer> answer = look()) return answer;
    if (idle()) return std::nullopt;  // it has become ready
    if (interrupted && interrupted()) throw ResourceError("interrupted while a worker ran");
    std::array<pollfd, 2> files = {{{answers(), POLLIN, 0}, {output(), POLLIN, 0}}};
    poll(files.data(), files.size(), kPollMs);
  }
  return std::nullopt;
}

}  // namespace helixcheck
