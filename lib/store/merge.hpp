// The stores of a cluster's jobs, one a job, as one.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace helixcheck {

struct MergeResult {
  int added = 0, updated = 0, unchanged = 0;  // campaigns
  int new_findings = 0;                       // signatures that were not there before
  std::vector<std::string> problems;          // one sentence for each store that was left out
};

// Copies campaigns and findings of all stores `from` into `into`, which is made if it is missing.
// Campaigns get new ids. One that is there already, by its uid, is replaced if it has come farther
// since, and left alone if not: merging again changes nothing. Findings are one for each signature,
// with sums of counts. A store of `from` that is missing or damaged is left out. Throws InputError
// if `into` is among `from` or nothing could be read, and what Store throws for `into`.
MergeResult merge_stores(const std::vector<std::filesystem::path>& from,
                         const std::filesystem::path& into);

}  // namespace helixcheck
