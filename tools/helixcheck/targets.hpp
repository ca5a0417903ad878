// The scenarios a command line names, and running one of them as its file asks.

#pragma once

#include <filesystem>

#include "campaign/corpus.hpp"
#include "options.hpp"
#include "run/run.hpp"

namespace helixcheck {

// --corpus, or the default one.
std::filesystem::path corpus_folder(const Options& options);

// The one scenario of `run`, `shrink` and `explain`: a file, a name or the options alone; valid and
// named. --property replaces the property of its file.
CorpusEntry chosen_scenario(const Options& options);

// Runs what the entry needs before it, then the scenario under its property. Any property but the
// equivalence runs in a simulated world. Throws InputError if the property says nothing about it.
RunResult run_entry(const CorpusEntry& entry, World& world, const Subject& subject,
                    const RunOptions& options);

}  // namespace helixcheck
