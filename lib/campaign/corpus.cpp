// Order is by path, so that a run's output does not depend on the file system.

#include "campaign/corpus.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <set>
#include <system_error>

#include "scenario/error.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

void collect_files(const fs::path& folder, std::vector<fs::path>& files) {
  if (fs::exists(folder / "golden.json")) return;
  std::vector<fs::path> children;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    children.push_back(entry.path());
  }
  std::sort(children.begin(), children.end(), [](const fs::path& a, const fs::path& b) {
    return strverscmp(a.c_str(), b.c_str()) < 0;  // ctx64 before ctx4096
  });
  for (const fs::path& child : children) {
    if (fs::is_directory(child)) {
      collect_files(child, files);
    } else if (child.extension() == ".json") {
      files.push_back(child);
    }
  }
}

// Files in the corpus whose stem is the name; the corpus may hold one name in several folders.
std::vector<fs::path> files_named(const std::string& name, const fs::path& corpus) {
  std::vector<fs::path> all, named;
  if (fs::is_directory(corpus)) collect_files(corpus, all);
  std::copy_if(all.begin(), all.end(), std::back_inserter(named),
               [&](const fs::path& file) { return file.stem() == name; });
  return named;
}

std::vector<fs::path> files_of(const std::string& target, const fs::path& corpus) {
  for (const fs::path& path : {fs::path(target), corpus / target}) {
    std::error_code unreadable;
    if (fs::is_directory(path, unreadable)) {
      std::vector<fs::path> files;
      collect_files(path, files);
      if (files.empty()) {
        throw InputError(fmt::format("{}: the folder holds no scenario (*.json)", target));
      }
      return files;
    }
    if (fs::exists(path, unreadable)) return {path};
  }
  std::vector<fs::path> named = files_named(target, corpus);
  if (named.empty()) {
    throw InputError(
        fmt::format("'{}' is neither a file, nor a folder, nor a scenario's name in {}", target,
                    corpus.string()));
  }
  return named;
}

std::vector<fs::path> readable_files_of(const std::string& target, const fs::path& corpus) {
  try {
    return files_of(target, corpus);
  } catch (const fs::filesystem_error& error) {
    throw InputError(
        fmt::format("{}: cannot be searched for scenarios: {}", target, error.code().message()));
  }
}

}  // namespace

fs::path default_corpus() {
  if (const char* named = std::getenv("HELIXCHECK_CORPUS")) return named;
  if (fs::is_directory("corpus")) return "corpus";
  return fs::path(HELIXCHECK_SOURCE_DIR) / "corpus";
}

std::vector<CorpusEntry> find_scenarios(const std::vector<std::string>& targets,
                                        const fs::path& corpus, std::vector<std::string>* damaged) {
  std::vector<CorpusEntry> entries;
  std::set<fs::path> seen;
  std::vector<std::string> errors;
  for (const std::string& target : targets) {
    for (const fs::path& file : readable_files_of(target, corpus)) {
      if (!seen.insert(fs::weakly_canonical(file)).second) continue;
      try {
        ScenarioFile read = load_scenario_file(file);
        entries.push_back(CorpusEntry{file, std::move(read.scenario), std::move(read.before),
                                      std::move(read.provenance.property),
                                      std::move(read.provenance.signature)});
      } catch (const InputError& error) {
        errors.emplace_back(error.what());
      }
    }
  }
  if (damaged != nullptr) {
    *damaged = std::move(errors);
  } else if (!errors.empty()) {
    throw InputError(fmt::format("{}", fmt::join(errors, "\n")));
  }
  return entries;
}

std::vector<CorpusEntry> select_scenarios(std::vector<CorpusEntry> entries,
                                          const std::vector<std::string>& name_texts,
                                          const std::vector<std::string>& without_labels) {
  const auto named = [&](const Scenario& s) {
    return name_texts.empty() ||
           std::any_of(name_texts.begin(), name_texts.end(), [&](const std::string& text) {
             return s.name.find(text) != std::string::npos;
           });
  };
  const auto excluded = [&](const Scenario& s) {
    return std::any_of(s.labels.begin(), s.labels.end(), [&](const std::string& label) {
      return std::count(without_labels.begin(), without_labels.end(), label) > 0;
    });
  };
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const CorpusEntry& entry) {
                                 return !named(entry.scenario) || excluded(entry.scenario);
                               }),
                entries.end());
  if (entries.empty()) {
    throw InputError(fmt::format("no scenario's name contains '{}'{}",
                                 fmt::join(name_texts, "' or '"),
                                 without_labels.empty() ? "" : " outside the excluded labels"));
  }
  return entries;
}

}  // namespace helixcheck
