// What a worker runs, written down before it runs: when the worker is gone, whatever ended it, the
// journal says what it was at, and what it ran before.
//
// A file that worker and supervisor both map. It outlives both of them, and a kill at any
// instruction; it is not forced to disk, so that a power failure may lose its last second. Its
// space is reserved when it is made: writing to it later cannot meet a full disk.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "world/heartbeat.hpp"

namespace helixcheck {

class CaseJournal {
 public:
  struct Entry {
    std::uint64_t index = 0;  // of the case
    std::string property;
    std::string scenario;  // JSON
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  static constexpr std::size_t kSlots = 32;              // entries kept
  static constexpr std::size_t kSlotBytes = 128 * 1024;  // longest scenario, with a few words

  // Opens the file with what is in it, or makes a new one where there is none or it is no journal
  // of this version. Throws ResourceError.
  explicit CaseJournal(const std::filesystem::path& file);
  ~CaseJournal();
  CaseJournal(const CaseJournal&) = delete;
  CaseJournal& operator=(const CaseJournal&) = delete;

  const std::filesystem::path& file() const { return file_; }

  // False if the scenario is too long to be written down: then it must not be run.
  bool begin(std::uint64_t index, std::string_view property, std::string_view scenario);
  void end();
  // The stage that the running case is in.
  mpi::Record& life();

  std::optional<Entry> running() const;
  double running_seconds() const;  // since it began; 0: none runs
  // What began last before the running entry, oldest first; nothing torn.
  std::vector<Entry> finished() const;
  std::uint64_t begun() const;  // entries, over the life of the file
  void clear();

 private:
  struct Layout;
  struct Slot;
  Slot& slot(std::uint64_t serial) const;
  Entry entry(std::uint64_t serial) const;

  std::filesystem::path file_;
  Layout* layout_ = nullptr;
};

}  // namespace helixcheck
