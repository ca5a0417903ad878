// What a store holds, as records: of one that rests or of one that a campaign is writing.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "store/connection.hpp"
#include "store/records.hpp"

namespace helixcheck {

// Every function sees what was written last when it is called. For one thread. They throw
// InputError if the store turns out to be damaged, and StoreError if it cannot be read.
class StoreReader {
 public:
  // Opens it for reading only, without a lock, also where nothing can be written. Throws InputError
  // if there is no such store, or it is no store, or of a newer schema, and ResourceError if it
  // cannot be opened.
  explicit StoreReader(const std::filesystem::path& path);
  virtual ~StoreReader() = default;

  const std::filesystem::path& path() const { return connection_->path(); }

  std::vector<CampaignRecord> campaigns() const;  // by id, as all that follow
  std::optional<CampaignRecord> campaign(std::int64_t id) const;
  std::optional<CampaignRecord> campaign(const std::string& uid) const;
  std::optional<CampaignRecord> last_campaign() const;

  // Counts and times are over all campaigns.
  std::vector<FindingRecord> findings() const;
  std::vector<FindingRecord> findings(std::int64_t campaign) const;  // that this one saw
  std::optional<FindingRecord> finding(const std::string& signature) const;

  // By finding, then by campaign.
  std::vector<SightingRecord> sightings() const;
  std::vector<SightingRecord> sightings(std::int64_t campaign) const;

  // In the order in which they were added.
  std::vector<ProgressRecord> progress(std::int64_t campaign) const;
  std::vector<EventRecord> events(std::int64_t campaign) const;
  std::vector<InterestingRecord> interesting(std::int64_t campaign) const;
  std::vector<InterestingRecord> interesting_of_subject(const std::string& subject) const;
  // The last so many; 0: all.
  std::vector<CaseRecord> cases(std::int64_t campaign, std::size_t limit = 0) const;

  std::vector<TapRecord> taps(std::int64_t campaign) const;    // by name
  std::vector<PairRecord> pairs(std::int64_t campaign) const;  // a and b by their first use

  // All that `read` reads is of one moment. A campaign's file grows while it lasts.
  void snapshot(const std::function<void()>& read) const;

  // Reads the whole file. Throws InputError if it is damaged.
  void check_integrity() const;

 protected:
  explicit StoreReader(std::unique_ptr<Connection> connection);
  const Connection& connection() const { return *connection_; }

 private:
  std::unique_ptr<Connection> connection_;
};

}  // namespace helixcheck
