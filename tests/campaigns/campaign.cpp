#include "campaigns/campaign.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "process/child.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);
constexpr auto kPatience = std::chrono::seconds(60);

// The fields of /proc/PID/stat from the state on.
std::vector<std::string> stat_of(int process) {
  const std::string text = contents_of(fmt::format("/proc/{}/stat", process));
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::vector<std::string> found;
  for (std::string field; fields >> field;) found.push_back(field);
  return found;
}

std::vector<int> all_processes() {
  std::vector<int> processes;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const int process = std::atoi(entry.path().filename().c_str());
    if (process > 0) processes.push_back(process);
  }
  return processes;
}

int open_new(const fs::path& file) {
  return open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

}  // namespace

CampaignFolder::CampaignFolder(const std::string& mode)
    : start_(mode.empty() ? "" : "export HELIXCHECK_MISBEHAVE=" + mode + "; ") {
  usual_ = {{"--store", store().string()},
            {"--corpus", corpus().string()},
            {"--subject", mode.empty() ? "cpu" : MISBEHAVING_SUBJECT},
            {"--jobs", "1"},
            {"--case-timeout", "60"},
            {"--memory-limit", "400"},
            {"--shrink-time", "1"}};
}

std::string CampaignFolder::command(const std::string& options) const {
  std::string text = start_ + "exec " HELIXCHECK_COMMAND " fuzz " + options;
  for (const auto& [name, value] : usual_) {
    if (options.find(name + " ") == std::string::npos) text += " " + name + " " + value;
  }
  return text;
}

CommandResult CampaignFolder::run(const std::string& options) const {
  return run_command("( " + command(options) + " )", path());
}

bool CampaignFolder::has_campaign() const {
  try {
    return StoreReader(store()).last_campaign().has_value();
  } catch (const std::exception&) {  // it is in the making
    return false;
  }
}

CampaignRecord CampaignFolder::last() const {
  return StoreReader(store()).last_campaign().value();
}

std::vector<FindingRecord> CampaignFolder::findings() const {
  return StoreReader(store()).findings();
}

std::uint64_t CampaignFolder::failed_cases() const {
  const std::vector<CaseRecord> cases = StoreReader(store()).cases(last().id);
  return static_cast<std::uint64_t>(std::count_if(
      cases.begin(), cases.end(), [](const CaseRecord& one) { return one.status == "failed"; }));
}

std::vector<std::string> CampaignFolder::events() const {
  const StoreReader reader(store());
  std::vector<std::string> texts;
  for (const EventRecord& event : reader.events(reader.last_campaign().value().id)) {
    texts.push_back(event.text);
  }
  return texts;
}

std::vector<fs::path> CampaignFolder::corpus_files() const {
  std::vector<fs::path> files;
  if (!fs::exists(corpus())) return files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(corpus())) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

RunningCampaign::RunningCampaign(const CampaignFolder& folder, const std::string& options)
    : out_(folder.path() / "out"), err_(folder.path() / "err") {
  fs::remove(out_);
  fs::remove(err_);
  ChildOrder order;
  order.arguments = {"/bin/sh", "-c", folder.command(options)};
  order.output = open_new(out_);
  order.errors = open_new(err_);
  process_ = spawn(order);
  close(order.output);
  close(order.errors);
}

RunningCampaign::~RunningCampaign() {
  if (status_) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

std::vector<int> RunningCampaign::workers() const {
  std::vector<int> found;
  for (const int process : all_processes()) {
    const std::vector<std::string> fields = stat_of(process);
    if (fields.size() > 1 && fields[1] == std::to_string(process_)) found.push_back(process);
  }
  return found;
}

std::string RunningCampaign::out() const {
  return contents_of(out_);
}

std::string RunningCampaign::err() const {
  return contents_of(err_);
}

std::optional<int> RunningCampaign::wait(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!status_) {
    int status = 0;
    if (waitpid(process_, &status, WNOHANG) == process_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (std::chrono::steady_clock::now() >= end) {
      break;
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
  return status_;
}

bool RunningCampaign::wait_for(const std::function<bool()>& come) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!come()) {
    if (wait(std::chrono::milliseconds(0)) || std::chrono::steady_clock::now() >= end) {
      return come();
    }
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

bool RunningCampaign::wait_for_text(const std::string& text) {
  return wait_for([&] { return err().find(text) != std::string::npos; });
}

std::string contents_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  for (const int process : all_processes()) {
    if (process == getpid()) continue;
    const std::string arguments = contents_of(fmt::format("/proc/{}/cmdline", process));
    if (arguments.find(text) != std::string::npos) found.push_back(process);
  }
  return found;
}

char state_of_process(int process) {
  const std::vector<std::string> fields = stat_of(process);
  return fields.empty() ? '\0' : fields[0][0];
}

}  // namespace helixcheck
