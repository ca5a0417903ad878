// `helixcheck merge OUT.db STORE.db...`: the stores of several machines as one.

#include "store/merge.hpp"

#include <fmt/format.h>

#include "options.hpp"

namespace helixcheck {

int merge_verb(const Options& options) {
  const std::vector<std::filesystem::path> from(options.targets.begin(), options.targets.end());
  const MergeResult merged = merge_stores(from, options.output);
  for (const std::string& problem : merged.problems) {
    fmt::print(stderr, "helixcheck: left out: {}\n", problem);
  }
  if (options.json) {
    fmt::print(
        "{{\"schema\": 1, \"added\": {}, \"updated\": {}, \"unchanged\": {}, "
        "\"new_findings\": {}, \"left_out\": {}}}\n",
        merged.added, merged.updated, merged.unchanged, merged.new_findings,
        merged.problems.size());
  } else {
    fmt::print("{}: campaigns: {} added, {} updated, {} unchanged; {} new findings\n",
               options.output, merged.added, merged.updated, merged.unchanged, merged.new_findings);
  }
  return merged.problems.empty() ? kPass : kBadInput;
}

}  // namespace helixcheck
