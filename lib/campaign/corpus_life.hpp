// The life of a finding in the corpus: crashing while it reproduces, incubating once it does not,
// a regression test when it has not come back for long enough.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "campaign/observation.hpp"

namespace helixcheck {

struct CorpusMove {
  std::filesystem::path file;  // where it is now
  std::string from, to;        // folders; equal: it stays
  std::string why;             // "fails as ...", "passes", "passes since 2026-11-01", an error
};

// How scenarios fail on the subject that a finding names.
using FreshRunOf = std::function<FreshRun(const std::string& subject)>;

// Runs every finding in `crashing` and `incubating` of the corpus and moves those whose time has
// come; `today` is YYYY-MM-DD. What cannot be run stays where it is. Files are moved one by one,
// each whole. Throws InputError if there is no such corpus.
std::vector<CorpusMove> age_corpus(const std::filesystem::path& corpus, const FreshRunOf& fresh,
                                   const std::string& today, int days_to_regression);

// Days from one date to another, YYYY-MM-DD; nullopt if one is no date.
std::optional<int> days_between(const std::string& from, const std::string& to);

// UTC, YYYY-MM-DD.
std::string today();

}  // namespace helixcheck
