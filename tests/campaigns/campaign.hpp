// `helixcheck fuzz` as a process that can be watched and killed, and what it leaves behind.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/reader.hpp"
#include "store/records.hpp"
#include "support/command.hpp"

namespace helixcheck {

// A folder with a store, a corpus and the output of campaigns, and the command that runs them.
class CampaignFolder {
 public:
  // Of the misbehaving plug-in, where `mode` is not "", else of the built-in subject.
  explicit CampaignFolder(const std::string& mode = "");

  std::filesystem::path path() const { return folder_.path(); }
  std::filesystem::path store() const { return path() / "campaign.db"; }
  std::filesystem::path corpus() const { return path() / "corpus"; }
  // As for a shell. What `options` leave open is one worker, little memory and little shrinking.
  std::string command(const std::string& options) const;
  // Runs it to its end.
  CommandResult run(const std::string& options) const;
  const TemporaryFolder& files() const { return folder_; }

  // Of the store as it is now.
  bool has_campaign() const;
  CampaignRecord last() const;  // it must have one
  std::vector<FindingRecord> findings() const;
  std::vector<std::string> events() const;  // of the last campaign
  std::uint64_t failed_cases() const;       // of the same
  std::vector<std::filesystem::path> corpus_files() const;

 private:
  TemporaryFolder folder_;
  std::string start_;
  std::vector<std::pair<std::string, std::string>> usual_;
};

// One that runs. The output grows in two files.
class RunningCampaign {
 public:
  RunningCampaign(const CampaignFolder& folder, const std::string& options);
  ~RunningCampaign();  // kills it
  RunningCampaign(const RunningCampaign&) = delete;
  RunningCampaign& operator=(const RunningCampaign&) = delete;

  int process() const { return process_; }
  std::vector<int> workers() const;
  std::string out() const, err() const;
  // Exit status, or 128 + signal; nullopt: it still runs after so long.
  std::optional<int> wait(std::chrono::milliseconds most);
  // Waits until `come` is true; false: it was not within a minute, or the campaign has ended.
  bool wait_for(const std::function<bool()>& come);
  bool wait_for_text(const std::string& text);  // in err()

 private:
  std::filesystem::path out_, err_;
  int process_ = -1;
  std::optional<int> status_;
};

std::string contents_of(const std::filesystem::path& file);  // "" where there is none
// Processes of this host with `text` among their arguments.
std::vector<int> processes_with(const std::string& text);
// 'R', 'S', 'Z', 0 = there is none.
char state_of_process(int process);

}  // namespace helixcheck
