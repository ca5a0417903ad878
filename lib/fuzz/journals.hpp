// The journals of a campaign, in a folder beside its store.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/journal.hpp"

namespace helixcheck {

class Journals {
 public:
  // Makes the folder STORE.journals. Throws ResourceError.
  explicit Journals(const std::filesystem::path& store);

  std::filesystem::path path(const std::string& name) const;

  // What was running when an earlier run of the campaign was killed. Entries come back at each
  // start until clear(), since this run may be killed, too.
  std::vector<CaseJournal::Entry> take_running();

  // All of it has been run again: removes the folder.
  void clear();

 private:
  std::filesystem::path folder_;
};

}  // namespace helixcheck
