// Orders and answers go through pipes that rank 0 opens by their names in /proc. What the job
// prints goes to memory without a name and is read when the job has died.

#include "campaign/rank_job.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign/rank_service.hpp"
#include "campaign/run_wire.hpp"
#include "helix/taps.hpp"
#include "process/child.hpp"
#include "process/frames.hpp"
#include "scenario/error.hpp"
#include "subject/subject.hpp"
#include "world/mpi.hpp"

namespace helixcheck {
namespace {

constexpr int kPollMs = 50;
constexpr int kMissingResource = 3;  // exit status of a job that could not do its work

// One job, from its start to the end of its process.
class StartedJob {
 public:
  explicit StartedJob(const RankJobOrder& order)
      : output_(memfd_create("helixcheck", MFD_CLOEXEC)), parent_(getpid()) {
    std::fflush(nullptr);
    child_ = fork();
    if (child_ == 0) be_launcher(order);
    if (child_ < 0) throw ResourceError(fmt::format("cannot start a job: {}", strerror(errno)));
  }
  ~StartedJob() {
    orders_.close_write_end();
    if (!ended()) waitpid(child_, &status_, 0);
    close(output_);
  }
  StartedJob(const StartedJob&) = delete;
  StartedJob& operator=(const StartedJob&) = delete;

  void kill_job() { kill(child_, SIGTERM); }  // the launcher passes it on
  bool order(const std::string& bytes) { return write_frame(orders_.write_end(), bytes); }

  // nullopt: the job has ended without an answer.
  std::optional<std::string> answer(const std::function<bool()>& interrupted) {
    while (!readable(kPollMs)) {
      if (interrupted && interrupted()) {
        kill_job();
        throw ResourceError("interrupted while ranks were at work");
      }
      if (!ended()) continue;
      if (!readable(0)) return std::nullopt;
      break;
    }
    std::string bytes;
    // A whole frame is there or follows at once: rank 0 writes it in one call.
    if (!read_frame(answers_.read_end(), bytes)) return std::nullopt;
    return bytes;
  }

  int exit_status() {
    if (!ended()) waitpid(child_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

  // The line that says how the job ended: of the watchdog, or the last one printed.
  std::string last_words() const {
    std::string text(static_cast<std::size_t>(lseek(output_, 0, SEEK_END)), ' ');
    const ssize_t count = pread(output_, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    const std::string_view mark = "helixcheck: ";
    std::string last;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string line = text.substr(begin, end - begin);
      if (line.starts_with(mark)) return line.substr(mark.size());
      if (!line.empty()) last = line;
      begin = end + 1;
    }
    return last.empty() ? "the ranks ended without a word" : last;
  }

 private:
  bool readable(int wait_ms) const {
    pollfd wait = {answers_.read_end(), POLLIN, 0};
    return poll(&wait, 1, wait_ms) == 1;
  }
  bool ended() {
    if (!ended_) ended_ = waitpid(child_, &status_, WNOHANG) == child_;
    return ended_;
  }

  // In a process group of its own: Ctrl-C at a terminal is for the search.
  [[noreturn]] void be_launcher(const RankJobOrder& order) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    orders_.close_write_end();  // or the ranks would never see its end
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(output_, STDOUT_FILENO);
    dup2(output_, STDERR_FILENO);
    setenv(kServiceVariable,
           fmt::format("/proc/{0}/fd/{1}:/proc/{0}/fd/{2}", parent_, orders_.read_end(),
                       answers_.write_end())
               .c_str(),
           1);
    int status = kMissingResource;
    try {
      status = mpi::launch(order.ranks, order.arguments);
    } catch (const std::exception& error) {
      fmt::print(stderr, "helixcheck: {}\n", error.what());
      std::fflush(stderr);
    }
    _exit(status);
  }

  Pipe orders_;
  Pipe answers_;
  int output_;
  pid_t parent_;
  pid_t child_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

// "... in stage attend of step 7 ...".
std::optional<Stage> stage_in(const std::string& line) {
  const std::string_view mark = " in stage ";
  const std::size_t begin = line.find(mark);
  if (begin == std::string::npos) return std::nullopt;
  const std::string rest = line.substr(begin + mark.size());
  for (int stage = 0; stage < HXC_STAGE_COUNT; ++stage) {
    const std::string name = stage_name(static_cast<hxc_stage>(stage));
    if (rest.starts_with(name)) return static_cast<Stage>(stage);
  }
  return std::nullopt;
}

// Shrinking and explaining ask for worlds that are no part of the search.
void require_fit(const Scenario& scenario, int ranks) {
  if (scenario.run.world != WorldKind::mpi) {
    throw InputError(fmt::format("scenario {} is not for world mpi", scenario.name));
  }
  if (scenario.problem.entry == Entry::merge || scenario.layout.ranks() <= ranks) return;
  throw ResourceError(fmt::format("scenario {} needs {} ranks, the job has {}", scenario.name,
                                  scenario.layout.ranks(), ranks));
}

RunResult failed_run(const std::string& ended, const Blame& blame) {
  RunResult result;
  result.ended = ended;
  result.verdict.pass = false;
  result.verdict.blame = blame;
  return result;
}

RunResult run_that_ended_its_job(const std::string& line) {
  const bool hangs = line.find(" hangs in stage") != std::string::npos ||
                     line.find(" is stopped in stage") != std::string::npos ||
                     line.find("wait for each other") != std::string::npos;
  return failed_run(hangs ? "hang" : "crash", Blame{stage_in(line), std::nullopt, {}, line});
}

}  // namespace

struct RankJob::Impl {
  RankJobOrder order;
  std::unique_ptr<StartedJob> started;
  int starts = 0;

  void start() {
    started = std::make_unique<StartedJob>(order);
    ++starts;
    if (started->answer(order.interrupted)) return;  // the ranks are up
    const std::string why = started->last_words();
    started.reset();
    throw ResourceError(why);
  }
};

RankJob::RankJob(RankJobOrder order) : impl_(std::make_unique<Impl>()) {
  impl_->order = std::move(order);
  impl_->start();
}

RankJob::~RankJob() = default;

void RankJob::end() {
  impl_->started.reset();
}

int RankJob::starts() const {
  return impl_->starts;
}

RunResult RankJob::run(const Scenario& scenario, bool repeat_failures) {
  require_fit(scenario, impl_->order.ranks);
  try {
    if (!impl_->started) impl_->start();
  } catch (const ResourceError& error) {
    if (impl_->order.interrupted && impl_->order.interrupted()) throw;
    throw std::runtime_error(fmt::format("the ranks cannot be started again: {}", error.what()));
  }
  impl_->started->order(pack(RunOrder{scenario, repeat_failures}));
  std::optional<std::string> bytes;
  try {
    bytes = impl_->started->answer(impl_->order.interrupted);
  } catch (const ResourceError&) {
    impl_->started.reset();
    throw;
  }
  if (!bytes) {
    const int status = impl_->started->exit_status();
    const std::string line = impl_->started->last_words();
    impl_->started.reset();
    if (status == kMissingResource) throw std::runtime_error(line);
    return run_that_ended_its_job(line);
  }
  RunAnswer answer = unpack_answer(*bytes);
  switch (answer.outcome) {
    case RunAnswer::Outcome::done: break;
    case RunAnswer::Outcome::subject_error:
      return failed_run("", Blame{answer.stage, std::nullopt, {}, answer.message});
    case RunAnswer::Outcome::input_error: throw InputError(answer.message);
    case RunAnswer::Outcome::resource_error: throw ResourceError(answer.message);
  }
  answer.result.scenario = scenario;
  return std::move(answer.result);
}

}  // namespace helixcheck
