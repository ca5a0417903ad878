// `helixcheck fuzz`: a campaign, with a status line and a summary. Started by itself as a worker,
// the same verb runs the cases.

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <thread>
#include <unistd.h>

#include "campaign/commit.hpp"
#include "campaign/rank_service.hpp"
#include "fuzz/summary.hpp"
#include "fuzz/worker.hpp"
#include "generate/cost.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "ranks.hpp"
#include "run/allocator.hpp"
#include "scenario/error.hpp"
#include "searching.hpp"
#include "targets.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

constexpr double kStartSeconds = 1;   // the most that a corpus scenario may take at the start
constexpr double kPlainSeconds = 30;  // between status lines where there is no terminal
constexpr std::uint64_t kLeastMemory = std::uint64_t{1} << 30;  // of a worker

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02} min", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02} h", s / 3600, s / 60 % 60, s % 60);
}

std::string status_line(const CampaignStatus& status) {
  const Totals& totals = status.totals;
  return fmt::format(
      "{}  {} cases  {:.0f}/s  {} findings, the last {} ago  worst {:.3g} {}  pairs {}/{}  "
      "triples {}{}",
      duration(totals.seconds), totals.cases, status.cases_per_second, totals.findings,
      duration(status.seconds_since_finding), totals.worst_ratio, status.worst_tap, totals.pairs,
      status.possible_pairs, totals.tuples, status.doing.empty() ? "" : "  " + status.doing);
}

// One line that is written over on a terminal; elsewhere a line now and then.
class StatusLine {
 public:
  explicit StatusLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

  void show(const CampaignStatus& status) {
    if (quiet_) return;
    if (terminal_) {
      fmt::print(stderr, "\r\x1b[K{}", status_line(status));
    } else if (status.totals.seconds >= next_) {
      next_ = status.totals.seconds + kPlainSeconds;
      fmt::print(stderr, "helixcheck: {}\n", status_line(status));
    }
    std::fflush(stderr);
  }
  void say(const std::string& text) {
    clear();
    fmt::print(stderr, "helixcheck: {}\n", text);
  }
  void clear() const {
    if (terminal_ && !quiet_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  bool quiet_, terminal_;
  double next_ = 0;
};

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

// "2 x Intel(R) Xeon(R) ...", as /proc/cpuinfo has it.
std::string machine_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    return fmt::format("{} x {}", std::thread::hardware_concurrency(),
                       line.substr(line.find(':') + 2));
  }
  return fmt::format("{} processors", std::thread::hardware_concurrency());
}

std::uint64_t memory_limit(const Options& options, int jobs) {
  if (options.memory_limit_mib) return static_cast<std::uint64_t>(*options.memory_limit_mib) << 20;
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const std::uint64_t all = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::max(kLeastMemory, all / 4 * 3 / static_cast<std::uint64_t>(jobs + 1));
}

std::vector<std::string> worker_arguments(const Options& options) {
  std::vector<std::string> arguments{own_path(),      "fuzz",    "--subject",
                                     options.subject, "--world", options.world};
  const auto add = [&](const std::string& option, const std::string& value) {
    arguments.insert(arguments.end(), {option, value});
  };
  if (options.contract) add("--contract", *options.contract);
  for (const std::string& name : options.properties) add("--property", name);
  add("--ranks", std::to_string(options.ranks));
  add("--hang-limit", std::to_string(options.hang_limit_s));
  if (!options.guided) arguments.emplace_back("--unguided");
  if (!options.observations.empty()) add("--observations", options.observations);
  return arguments;
}

// What is in a corpus, or could be read of it; the rest is said.
std::vector<CorpusEntry> readable_entries(const std::filesystem::path& corpus, StatusLine& line) {
  std::vector<CorpusEntry> entries;
  std::vector<std::string> damaged;
  try {
    for (CorpusEntry& entry : find_scenarios({corpus.string()}, corpus, &damaged)) {
      try {
        if (!entry.property.empty()) find_property(entry.property);
        entries.push_back(std::move(entry));
      } catch (const InputError& error) {
        damaged.push_back(fmt::format("{}: {}", entry.file.string(), error.what()));
      }
    }
  } catch (const InputError& error) {  // it is empty, or cannot be read at all
    damaged.emplace_back(error.what());
  }
  for (const std::string& text : damaged) line.say(text);
  return entries;
}

// Scenarios of the corpus that a campaign runs first.
std::vector<CorpusEntry> start_scenarios(const Options& options, StatusLine& line) {
  std::vector<CorpusEntry> chosen;
  if (!options.store) return chosen;
  const std::filesystem::path corpus = corpus_folder(options);
  if (!std::filesystem::exists(corpus)) return chosen;
  for (CorpusEntry& entry : readable_entries(corpus, line)) {
    const bool mpi = entry.scenario.run.world == WorldKind::mpi;
    if (mpi || forecast_seconds(entry.scenario) > kStartSeconds) continue;
    if (options.world == "mpi") entry.scenario.run.world = WorldKind::mpi;
    chosen.push_back(std::move(entry));
  }
  return chosen;
}

CampaignOptions campaign_of(const Options& options, StatusLine& line) {
  CampaignOptions campaign;
  for (const std::string& name : options.properties) find_property(name);  // throws
  campaign.store = options.campaign_store;
  CampaignRecord& plan = campaign.plan;
  plan.command = fmt::format("{}", fmt::join(options.arguments, " "));
  plan.subject = options.subject;
  plan.contract = options.contract.value_or("");
  plan.world = options.world;
  plan.properties = options.properties;
  plan.seed = options.seed_given ? options.seed : 0;
  plan.guided = options.guided;
  plan.jobs = worker_count(options);
  plan.budget_seconds = options.seconds.value_or(0);
  plan.budget_cases = options.cases.value_or(0);
  plan.commit = project_commit();
  plan.host = host_name();
  plan.machine = machine_name();
  campaign.fresh = options.fresh_campaign;
  campaign.worker.arguments = worker_arguments(options);
  campaign.worker.case_seconds = options.case_seconds;
  campaign.worker.memory_bytes = memory_limit(options, plan.jobs);
  if (options.store) campaign.corpus = corpus_folder(options);
  campaign.start = start_scenarios(options, line);
  campaign.max_findings = static_cast<std::size_t>(options.max_findings.value_or(100));
  campaign.shrink = shrink_limits(options);
  campaign.observations = options.observations;
  campaign.interrupted = interrupt_wished;
  campaign.status = [&line](const CampaignStatus& status) { line.show(status); };
  campaign.say = [&line](const std::string& text) { line.say(text); };
  return campaign;
}

int work(const Options& options) {
  prepare_worker();
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  WorkerOptions worker;
  worker.seed = options.seed;
  worker.properties = options.properties;
  worker.guided = options.guided;
  worker.observations = !options.observations.empty();
  worker.run.contract = options.contract;
  contracts_of(*subject, worker.run);  // throws: or no case at all would be judged
  std::unique_ptr<RankJob> job;
  if (options.world == "mpi") {
    job = start_ranks(options);
    worker.mpi_ranks = options.ranks;
    worker.properties = {"equivalence"};
    worker.run.elsewhere = [&job](const Scenario& scenario, bool repeat_failures) {
      return job->run(scenario, repeat_failures);
    };
  }
  keep_freed_memory();
  serve_supervisor(*subject, worker);
  return kPass;
}

}  // namespace

int fuzz_verb(const Options& options) {
  if (is_rank_service()) return serve_ranks(options);
  if (is_worker()) return work(options);
  watch_interrupts();
  StatusLine line(options.json);
  const CampaignReport report = run_campaign(campaign_of(options, line));
  line.clear();
  if (options.json) {
    fmt::print("{}", json_of(report, options.subject));
  } else {
    fmt::print("{}", describe(report, options.subject));
  }
  // Of the whole campaign, whichever of its runs has seen it.
  const bool any = report.campaign.totals.findings > 0 || !report.waiting.empty();
  if (any) return kFinding;
  if (report.unsaved || !report.ended_by.empty()) return kMissingResource;
  return report.interrupted ? kInterrupted : kPass;
}

}  // namespace helixcheck
