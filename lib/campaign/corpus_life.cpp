#include "campaign/corpus_life.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "campaign/finding.hpp"
#include "process/files.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> scenario_files(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Decision {
  std::string to, why, passes_since;
};

class Aging {
 public:
  Aging(const FreshRunOf& fresh, const std::string& date, int days)
      : fresh_(fresh), date_(date), days_(days) {}

  Decision decide(const std::string& folder, const ScenarioFile& file) const {
    const Provenance& from = file.provenance;
    const Property& property = find_property(from.property.empty() ? "equivalence" : from.property);
    std::vector<Scenario> scenarios = file.before;
    scenarios.push_back(file.scenario);
    const auto fails = fresh_(from.subject.empty() ? "cpu" : from.subject)(scenarios, property);
    if (fails) return {kCrashing, "fails as " + to_text(*fails), ""};
    if (folder == kCrashing || from.passes_since.empty()) return {kIncubating, "passes", date_};
    const std::string why = "passes since " + from.passes_since;
    const bool for_good = days_between(from.passes_since, date_).value_or(0) >= days_;
    if (for_good) return {kRegressions, why, ""};
    return {kIncubating, why, from.passes_since};
  }

 private:
  const FreshRunOf& fresh_;
  const std::string& date_;
  int days_;
};

// The new place is written before the old one goes: a finding is never lost.
CorpusMove move(const fs::path& corpus, const fs::path& file, const std::string& folder,
                ScenarioFile content, const Decision& decision) {
  CorpusMove result{file, folder, decision.to, decision.why};
  const bool same_text = content.provenance.passes_since == decision.passes_since;
  if (decision.to == folder && same_text) return result;
  content.provenance.passes_since = decision.passes_since;
  fs::create_directories(corpus / decision.to);
  result.file = corpus / decision.to / file.filename();
  write_whole(result.file, print_scenario_file(content));
  if (result.file != file) fs::remove(file);
  return result;
}

}  // namespace

std::string today() {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
}

std::optional<int> days_between(const std::string& from, const std::string& to) {
  const auto day = [](const std::string& text) -> std::optional<std::chrono::sys_days> {
    int year = 0, month = 0, of_month = 0;
    char more = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%c", &year, &month, &of_month, &more) != 3) {
      return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(of_month))};
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
  };
  const auto first = day(from), last = day(to);
  if (!first || !last) return std::nullopt;
  return static_cast<int>((*last - *first).count());
}

std::vector<CorpusMove> age_corpus(const fs::path& corpus, const FreshRunOf& fresh,
                                   const std::string& date, int days_to_regression) {
  if (!fs::is_directory(corpus)) {
    throw InputError(fmt::format("corpus {}: there is no such folder", corpus.string()));
  }
  const Aging aging(fresh, date, days_to_regression);
  std::vector<CorpusMove> moves;
  std::vector<std::pair<std::string, fs::path>> files;
  for (const std::string folder : {kCrashing, kIncubating}) {
    for (const fs::path& file : scenario_files(corpus / folder)) files.emplace_back(folder, file);
  }
  for (const auto& [folder, file] : files) {
    try {
      ScenarioFile content = load_scenario_file(file);
      const Decision decision = aging.decide(folder, content);
      moves.push_back(move(corpus, file, folder, std::move(content), decision));
    } catch (const InputError& error) {
      moves.push_back({file, folder, folder, error.what()});
    } catch (const ResourceError& error) {
      moves.push_back({file, folder, folder, error.what()});
    } catch (const fs::filesystem_error& error) {
      moves.push_back({file, folder, folder, error.what()});
    }
  }
  return moves;
}

}  // namespace helixcheck
