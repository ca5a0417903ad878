// Scenarios as JSON text. The reader is strict: it knows every field, refuses duplicates, wrong
// types, numbers out of range, deep nesting and newer schemas, each with one sentence.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

inline constexpr int kSchema = 1;

// Where a finding came from. All text; "" = not known.
struct Provenance {
  std::string property;   // it failed under this one, and is replayed under it; "" = equivalence
  std::string subject;    // as named on the command line
  std::string commit;     // of this project
  std::string date;       // YYYY-MM-DD
  std::string signature;  // what the failure was, see shrink/signature.hpp
  std::string passes_since{};  // YYYY-MM-DD, of findings that do not fail any more
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

// What a file of the corpus holds: a scenario, and for findings what belongs to them.
struct ScenarioFile {
  Scenario scenario;
  std::vector<Scenario> before;  // run first, in this order and process, judged or not
  Provenance provenance;
};

// Parses one scenario. `origin` (a file name) starts every message. Throws InputError. The result
// is not yet validated.
Scenario parse_scenario(std::string_view text, std::string_view origin);

// Parses and validates. An absent name becomes the file's stem; a relative `data.tensors` becomes
// relative to the file's folder.
Scenario load_scenario(const std::filesystem::path& file);

// The same with everything the file holds.
ScenarioFile parse_scenario_file(std::string_view text, std::string_view origin);
ScenarioFile load_scenario_file(const std::filesystem::path& file);
std::string print_scenario_file(const ScenarioFile& file);

// Canonical text: fixed field order, fields at their default left out. parse(print(s)) == s.
std::string print_scenario(const Scenario& scenario);

// Content hash: 64-bit FNV-1a over the canonical text without schema, name and labels, in 16 hex
// digits. Stable across versions, since default-valued fields are not part of the text.
std::string content_hash(const Scenario& scenario);

}  // namespace helixcheck
