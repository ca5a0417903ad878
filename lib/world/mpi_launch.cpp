// Starts ranks under mpirun on this host and stands in for them: same streams, same signals, the
// exit status of rank 0.

#include "world/mpi_launch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "scenario/error.hpp"
#include "world/mpi.hpp"

namespace helixcheck::mpi {
namespace {

constexpr const char* kStartedVariable = "HELIXCHECK_MPI_STARTED";

// A pipe that rank 0 opens by its name in /proc: nothing is left in any file system.
class StartSignal {
 public:
  StartSignal() {
    if (pipe2(ends_, O_CLOEXEC) != 0) throw ResourceError("cannot make a pipe to an MPI job");
  }
  ~StartSignal() {
    close(ends_[0]);
    close(ends_[1]);
  }
  StartSignal(const StartSignal&) = delete;
  StartSignal& operator=(const StartSignal&) = delete;

  std::string path() const { return fmt::format("/proc/{}/fd/{}", getpid(), ends_[1]); }
  bool received() const {
    pollfd wait = {ends_[0], POLLIN, 0};
    return poll(&wait, 1, 0) == 1;
  }

 private:
  int ends_[2] = {-1, -1};
};

std::string find_mpirun() {
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "/usr/bin" : variable;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/mpirun";
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  throw ResourceError("mpirun is not on the PATH: install openmpi-bin (Debian, Ubuntu)");
}

std::vector<std::string> command_line(int ranks, const std::vector<std::string>& arguments) {
  // --quiet: an exit status of 1 is an answer here, no reason for mpirun's own report.
  std::vector<std::string> command = {find_mpirun(), "--quiet", "--oversubscribe", "--bind-to",
                                      "none"};
  if (geteuid() == 0) command.push_back("--allow-run-as-root");
  command.insert(command.end(), {"-n", std::to_string(ranks)});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<std::string> environment(int ranks, const StartSignal& started) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  variables.push_back(fmt::format("{}={}", kStartedVariable, started.path()));
  // All ranks are on this host. Reading another rank's memory directly is forbidden in containers.
  variables.emplace_back("OMPI_MCA_btl_base_warn_component_unused=0");
  variables.emplace_back("OMPI_MCA_btl_vader_single_copy_mechanism=none");
  if (ranks > static_cast<int>(std::thread::hardware_concurrency())) {
    variables.emplace_back("OMPI_MCA_mpi_yield_when_idle=1");
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

sigset_t relayed_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

// Waits for mpirun, passing signals on to it. `interrupted` gets the last of them.
int wait_for(pid_t mpirun, const sigset_t& signals, int& interrupted) {
  for (;;) {
    int status = 0;
    if (waitpid(mpirun, &status, WNOHANG) == mpirun) return status;
    siginfo_t info{};
    const int signal = sigwaitinfo(&signals, &info);
    if (signal <= 0 || signal == SIGCHLD) continue;
    interrupted = signal;
    // The terminal has sent Ctrl-C to mpirun as well, and a second one would stop its clean-up.
    if (signal != SIGINT || info.si_code <= 0) kill(mpirun, signal);
  }
}

pid_t start(std::vector<std::string> command, std::vector<std::string> variables,
            const sigset_t& mask) {
  const std::vector<char*> argv = pointers(command);
  const std::vector<char*> envp = pointers(variables);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // no orphaned job, should this process be killed
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  if (child < 0) throw ResourceError(fmt::format("cannot start mpirun: {}", std::strerror(errno)));
  return child;
}

// As an interrupted program should end, so that a shell loop around it ends too.
void die_of(int signal) {
  ::signal(signal, SIG_DFL);
  raise(signal);
}

}  // namespace

void tell_launcher() {
  const char* path = std::getenv(kStartedVariable);
  if (path == nullptr) return;
  const int file = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return;
  const char mark = 1;
  (void)!write(file, &mark, 1);
  close(file);
}

bool inside_job() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

int launch(int ranks, const std::vector<std::string>& arguments) {
  const StartSignal started;
  const sigset_t signals = relayed_signals();
  sigset_t former;
  std::fflush(nullptr);
  pthread_sigmask(SIG_BLOCK, &signals, &former);
  const pid_t mpirun = start(command_line(ranks, arguments), environment(ranks, started), former);
  int interrupted = 0;
  const int status = wait_for(mpirun, signals, interrupted);
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  if (interrupted != 0) die_of(interrupted);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code != 0 && !started.received()) {
    throw ResourceError(
        fmt::format("mpirun ended with status {} before the {} ranks were up; it tells why after: "
                    "mpirun -n {} {}",
                    code, ranks, ranks, arguments.front()));
  }
  return code > 128 ? 1 : code;  // a rank died of a signal: a finding, which the watchdog has named
}

}  // namespace helixcheck::mpi
