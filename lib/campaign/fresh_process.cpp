// The child writes its report into a file, so that no pipe can fill up and block it.

#include "campaign/fresh_process.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "process/child.hpp"
#include "process/files.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "scenario/json_tree.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

pid_t start(const std::vector<std::string>& arguments, const fs::path& output) {
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ChildOrder order;
  order.arguments = arguments;
  order.output = file;
  try {
    const pid_t child = spawn(order);
    close(file);
    return child;
  } catch (...) {
    close(file);
    throw;
  }
}

// The wait status, or nothing if the child had to be killed at the limit.
std::optional<int> wait_for(pid_t child, const FreshProcess& process) {
  const Stopwatch watch;
  int status = 0;
  bool interrupted = false;
  while (watch.seconds() < process.limit_s && !interrupted) {
    interrupted = process.interrupted && process.interrupted();
    if (waitpid(child, &status, WNOHANG) == child) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(-child, SIGKILL);  // with whatever it has started
  waitpid(child, &status, 0);
  if (interrupted) throw ResourceError("interrupted while a fresh process ran");
  return std::nullopt;
}

// The signature of the first run in the report.
std::optional<Signature> read_signature(const fs::path& report) {
  std::ifstream stream(report, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  try {
    const JsonNode tree = parse_json(text.str(), "the report of a fresh process");
    const JsonNode* runs = tree.find("runs");
    if (runs == nullptr || runs->items.empty()) return std::nullopt;
    const JsonNode* signature = runs->items.front().find("signature");
    return signature == nullptr ? std::nullopt : parse_signature(signature->text);
  } catch (const InputError&) {  // it printed something of its own
    return std::nullopt;
  }
}

}  // namespace

FreshRun fresh_runs(FreshProcess process) {
  return [process](const std::vector<Scenario>& scenarios,
                   const Property& property) -> std::optional<Signature> {
    const WorkFolder folder;
    ScenarioFile file{scenarios.back(), {scenarios.begin(), scenarios.end() - 1}, {}};
    file.provenance.property = std::string(property.name);
    const fs::path scenario_path = folder.path() / "scenario.json";
    if (!(std::ofstream(scenario_path, std::ios::binary) << print_scenario_file(file))) {
      throw ResourceError(fmt::format("{}: cannot be written", scenario_path.string()));
    }
    std::vector<std::string> arguments{process.command, "replay", scenario_path.string(), "--json"};
    arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
    const fs::path report = folder.path() / "report.json";
    const std::optional<int> status = wait_for(start(arguments, report), process);
    const std::string name(property.name);
    if (!status) return Signature{name, "", "hang", ""};
    if (WIFSIGNALED(*status)) return Signature{name, "", "crash", ""};
    if (WEXITSTATUS(*status) == 0) return std::nullopt;
    const auto signature = WEXITSTATUS(*status) == 1 ? read_signature(report) : std::nullopt;
    if (signature) return signature;
    throw ResourceError(fmt::format("a fresh process ended with status {} and without a report",
                                    WEXITSTATUS(*status)));
  };
}

}  // namespace helixcheck
