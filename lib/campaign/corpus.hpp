// Finding scenarios: files, folders, short names.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct CorpusEntry {
  std::filesystem::path file;
  Scenario scenario;             // valid, named
  std::vector<Scenario> before;  // findings: what must run before it in the same process
  std::string property{};        // findings: what it failed under; "" = equivalence
  std::string signature{};       // findings: of the failure; "" = not known
};

// The folder that short names are looked up in: $HELIXCHECK_CORPUS, else ./corpus, else the corpus
// this command was built with.
std::filesystem::path default_corpus();

// Every scenario below the given files and folders, in path order within each (numbers by
// value), without repetition.
// A target that is no path is taken as a short name, or as NAME/ for a folder, in `corpus`. Folders
// that hold a golden.json keep tensors for a test of their own and are passed over. Throws
// InputError naming the target that matches nothing, or listing every file that cannot be read, one
// line each; these lines go to `damaged` instead if it is given, and the other files are returned.
std::vector<CorpusEntry> find_scenarios(const std::vector<std::string>& targets,
                                        const std::filesystem::path& corpus,
                                        std::vector<std::string>* damaged = nullptr);

// Those whose name contains one of the texts (all, if there are none) and none of the labels.
// Throws InputError if nothing is left.
std::vector<CorpusEntry> select_scenarios(std::vector<CorpusEntry> entries,
                                          const std::vector<std::string>& name_texts,
                                          const std::vector<std::string>& without_labels);

}  // namespace helixcheck
