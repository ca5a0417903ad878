#include "campaign/finding.hpp"

#include <fmt/format.h>

#include "campaign/commit.hpp"
#include "campaign/corpus_life.hpp"
#include "process/files.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

std::string stem_of(const Finding& finding) {
  const std::string stage = finding.signature.stage.empty() ? "run" : finding.signature.stage;
  // One subject's finding must not replace another's, nor a sequence a single scenario.
  std::string text = content_hash(finding.scenario) + to_text(finding.signature);
  for (const Scenario& scenario : finding.before) text += content_hash(scenario);
  std::uint32_t hash = 0x811c9dc5u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193u;
  return fmt::format("{}_{}_{:08x}", finding.signature.property, stage, hash);
}

}  // namespace

ScenarioFile corpus_file(const Finding& finding, const std::string& subject_argument) {
  ScenarioFile file{finding.scenario, finding.before, {}};
  file.scenario.name = stem_of(finding);
  file.provenance = {finding.signature.property, subject_argument, project_commit(), today(),
                     to_text(finding.signature)};
  return file;
}

void store_finding(Finding& finding, const fs::path& corpus, const std::string& subject_argument,
                   const char* folder_name) {
  const ScenarioFile file = corpus_file(finding, subject_argument);
  const fs::path folder = corpus / folder_name;
  const fs::path path = folder / (file.scenario.name + ".json");
  try {
    fs::create_directories(folder);
    write_whole(path, print_scenario_file(file));
    finding.file = path;
  } catch (const fs::filesystem_error& error) {
    finding.not_stored = fmt::format("{}: {}", error.path1().string(), error.code().message());
  }
}

}  // namespace helixcheck
