// `helixcheck corpus`: what a corpus needs from time to time. `age` moves findings along their
// life, `merge` adds what shows something new to corpus/coverage, `prune` takes out what no longer
// does.

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "campaign/corpus_cover.hpp"
#include "campaign/corpus_life.hpp"
#include "campaign/fresh_process.hpp"
#include "campaign/observation.hpp"
#include "generate/cost.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "process/files.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "searching.hpp"
#include "store/reader.hpp"
#include "targets.hpp"

namespace helixcheck {
namespace {
namespace fs = std::filesystem;

constexpr const char* kCoverage = "coverage";
constexpr double kMostSeconds = 1;  // of a scenario that is worth keeping for each test run

struct Candidate {
  Scenario scenario;
  fs::path file;  // it is in; empty: of a store
  CoverCandidate cover;
};

int age(const Options& options) {
  const FreshRunOf fresh = [&options](const std::string& subject) {
    Options named = options;
    if (!options.subject_given) named.subject = subject;
    return fresh_runs(fresh_process(named));
  };
  const std::vector<CorpusMove> moves =
      age_corpus(corpus_folder(options), fresh, today(), options.days_to_regression);
  nlohmann::ordered_json json{{"schema", kSchema}, {"findings", nlohmann::ordered_json::array()}};
  for (const CorpusMove& move : moves) {
    if (options.json) {
      json["findings"].push_back(
          {{"file", move.file.string()}, {"from", move.from}, {"to", move.to}, {"why", move.why}});
    } else {
      fmt::print("{}: {} -> {}: {}\n", move.file.filename().string(), move.from, move.to, move.why);
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return kPass;
}

bool is_store(const std::string& target) {
  return fs::path(target).extension() == ".db";
}

// Scenarios of stores and of files and folders, each once.
std::vector<Candidate> gather(const std::vector<std::string>& targets, const fs::path& corpus,
                              std::vector<std::string>& damaged) {
  std::vector<Candidate> found;
  std::vector<std::string> paths;
  for (const std::string& target : targets) {
    if (!is_store(target)) {
      paths.push_back(target);
      continue;
    }
    const StoreReader store(target);
    for (const CampaignRecord& campaign : store.campaigns()) {
      for (const InterestingRecord& kept : store.interesting(campaign.id)) {
        found.push_back({parse_scenario(kept.scenario, target), {}, {}});
      }
    }
  }
  if (paths.empty()) return found;
  for (CorpusEntry& entry : find_scenarios(paths, corpus, &damaged)) {
    if (entry.before.empty()) found.push_back({std::move(entry.scenario), entry.file, {}});
  }
  return found;
}

// Those that are cheap and pass, with what they show.
std::vector<Candidate> judge(std::vector<Candidate> found, const Subject& subject) {
  std::vector<Candidate> passing;
  const Property& equivalence = find_property("equivalence");
  for (Candidate& one : found) {
    if (interrupt_wished()) break;
    one.cover.cost = forecast_seconds(one.scenario);
    if (one.cover.cost > kMostSeconds || one.scenario.run.world == WorldKind::mpi) continue;
    const std::optional<PropertyResult> result = judged(one.scenario, equivalence, subject, {});
    if (!result || result->failure) continue;
    one.cover.shown = shown_by(one.scenario, result->taps);
    passing.push_back(std::move(one));
  }
  return passing;
}

std::vector<CoverCandidate> covers(const std::vector<Candidate>& candidates) {
  std::vector<CoverCandidate> result;
  for (const Candidate& one : candidates) result.push_back(one.cover);
  return result;
}

std::vector<Candidate> present(const fs::path& corpus, const Subject& subject,
                               std::vector<std::string>& damaged) {
  const fs::path folder = corpus / kCoverage;
  if (!fs::is_directory(folder)) return {};
  return judge(gather({folder.string()}, corpus, damaged), subject);
}

void print_result(const Options& options, std::size_t before, std::size_t after,
                  std::size_t looked_at) {
  if (options.json) {
    const nlohmann::ordered_json json{
        {"schema", kSchema}, {"looked_at", looked_at}, {"before", before}, {"after", after}};
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("coverage: {} scenarios, {} before; {} passing ones were looked at\n", after, before,
               looked_at);
  }
}

int merge(const Options& options) {
  if (options.targets.size() < 2) {
    throw InputError("corpus merge: name stores, files or folders to take scenarios from");
  }
  const fs::path corpus = corpus_folder(options);
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  std::vector<std::string> damaged;
  const std::vector<Candidate> old = present(corpus, *subject, damaged);
  Shown already;
  for (const Candidate& one : old) already.insert(one.cover.shown.begin(), one.cover.shown.end());
  const std::vector<Candidate> found = judge(
      gather({options.targets.begin() + 1, options.targets.end()}, corpus, damaged), *subject);
  fs::create_directories(corpus / kCoverage);
  std::size_t added = 0;
  for (const std::size_t i : cover(covers(found), already)) {
    Scenario scenario = found[i].scenario;
    scenario.labels.clear();
    scenario.name = "coverage_" + content_hash(scenario).substr(0, 8);
    write_whole(corpus / kCoverage / (scenario.name + ".json"), print_scenario(scenario));
    ++added;
  }
  for (const std::string& line : damaged) fmt::print(stderr, "helixcheck: {}\n", line);
  print_result(options, old.size(), old.size() + added, found.size());
  return damaged.empty() ? kPass : kBadInput;
}

int prune(const Options& options) {
  const fs::path corpus = corpus_folder(options);
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  std::vector<std::string> damaged;
  const std::vector<Candidate> old = present(corpus, *subject, damaged);
  const std::vector<std::size_t> kept = cover(covers(old));
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (!std::binary_search(kept.begin(), kept.end(), i)) fs::remove(old[i].file);
  }
  for (const std::string& line : damaged) fmt::print(stderr, "helixcheck: {}\n", line);
  print_result(options, old.size(), kept.size(), old.size());
  return damaged.empty() ? kPass : kBadInput;
}

}  // namespace

int corpus_verb(const Options& options) {
  watch_interrupts();
  const std::string what = options.targets.empty() ? "" : options.targets.front();
  try {
    if (what == "age") return age(options);
    if (what == "merge") return merge(options);
    if (what == "prune") return prune(options);
  } catch (const fs::filesystem_error& error) {
    throw ResourceError(fmt::format("{}: {}", error.path1().string(), error.code().message()));
  }
  throw InputError(fmt::format("corpus {}: it is one of age, merge, prune", what));
}

}  // namespace helixcheck
