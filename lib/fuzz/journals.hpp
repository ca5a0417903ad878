// The journals of a campaign, in a folder beside its store, and what is still to be looked at of
// those whose worker is gone.

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

  // Those of the worker that has this journal, for the worker.
  static Journals of_worker(const std::filesystem::path& journal);

  std::filesystem::path path(const std::string& name) const;

  // What was running when an earlier run of the campaign was killed, and what that run had set
  // aside. All of it is set aside now: it comes back at each start until it is settled, since this
  // run may be killed, too. Throws ResourceError if that cannot be written.
  std::vector<CaseJournal::Entry> take_running();

  // Keeps a case that is to be run again, though its worker's journal goes on without it. False if
  // it cannot be written.
  bool set_aside(const CaseJournal::Entry& entry) const;
  // It has been run again.
  void settle(const CaseJournal::Entry& entry) const;

  // All of it has been run again: removes the folder.
  void clear();

 private:
  Journals() = default;
  std::filesystem::path file_of(const CaseJournal::Entry& entry) const;

  std::filesystem::path folder_;
};

}  // namespace helixcheck
