// The campaign store: one SQLite file, and the one process that writes it.
//
// Every change is on the disk when the function that makes it returns: it survives a SIGKILL and a
// power cut. Changes are all or none; several become one through write().

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "store/lock.hpp"
#include "store/reader.hpp"
#include "store/records.hpp"

namespace helixcheck {

// How SQLite makes changes all or none.
enum class JournalMode {
  automatic,    // rollback on network file systems, else write_ahead
  write_ahead,  // readers and the writer do not wait for each other; one machine only
  rollback
};

// A store rests as a single file: what SQLite keeps beside it goes when the Store does, or when the
// next one opens it if the process was killed. For one thread; not to be carried through a fork.
//
// Writing throws StoreError when the disk is full or fails: nothing of the change is stored then,
// and it may be tried again.
class Store : public StoreReader {
 public:
  // Opens it, or makes it with the folders above it, and keeps the lock on it. Throws InputError if
  // the file is no store, is damaged, or is of a newer schema, and ResourceError if another process
  // is writing it, or it cannot be written. An older schema is brought up to date.
  explicit Store(const std::filesystem::path& path, JournalMode journal = JournalMode::automatic);
  ~Store() override;

  // All changes made by `changes` become one: about as fast as one of them, and nothing is stored
  // if it throws.
  void write(const std::function<void()>& changes);

  // Returns its id. It gets a uid if it has none; its id is not looked at.
  std::int64_t begin_campaign(const CampaignRecord& campaign);
  // Stores all but the uid. Throws InputError if there is no campaign of this id.
  void update_campaign(const CampaignRecord& campaign);
  // Removes all that is kept of it except its row, and its sightings of findings.
  void clear_campaign(std::int64_t campaign);

  void add_progress(const ProgressRecord& progress);
  void add_case(const CaseRecord& run);
  void add_interesting(const InterestingRecord& found);
  void add_event(const EventRecord& event);

  // Stores a finding that the campaign `last_campaign` saw at `last_seen` under `last_commit`;
  // `id` and first_* are not looked at. Returns its id.
  //
  // What describes it replaces what was stored if it is better: confirmed before nondeterminism
  // before unconfirmed before new, then locally minimal, then stored in the corpus. As good is
  // enough in the campaign that described it; between campaigns the older one stays.
  //
  // `count` is how many cases of this campaign have shown it, and is taken the first time that the
  // campaign stores it; from then on only count_finding() counts. So it may be stored again, as
  // when it is shrunk, without being counted again.
  std::int64_t save_finding(const FindingRecord& finding);
  // Forgets a finding, if it is stored: it turned out to be another one.
  void remove_finding(const std::string& signature);
  // So many more cases of the campaign showed it. Throws InputError if it is not stored.
  void count_finding(const std::string& signature, std::int64_t campaign, std::uint64_t cases,
                     const std::string& time, const std::string& commit);
  // Replaces what is known of this campaign and this finding. Throws InputError if the finding is
  // not stored.
  void save_sighting(const SightingRecord& sighting);

  // Replace the counts of these taps or pairs in their campaigns. Counts are since its beginning.
  void save_taps(std::span<const TapRecord> taps);
  void save_pairs(std::span<const PairRecord> pairs);

 private:
  Store(const std::filesystem::path& path, JournalMode journal, std::unique_ptr<StoreLock> lock);

  std::int64_t id_of(const std::string& signature) const;

  std::unique_ptr<StoreLock> lock_;
};

}  // namespace helixcheck
