// Records with a value in every field, and a folder with a store's path in it.

#pragma once

#include <string>

#include "store/records.hpp"
#include "support/command.hpp"

namespace helixcheck {

class StoreFolder {
 public:
  std::filesystem::path path() const { return folder_.path() / "campaign.db"; }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

// Counts begin at `from`, so that a later one differs in every field.
Totals sample_totals(std::uint64_t from = 1);
CampaignRecord sample_campaign();
// Of stage "attend", seen once.
FindingRecord sample_finding(const std::string& stage = "attend");
CaseRecord sample_case(std::int64_t campaign);
InterestingRecord sample_interesting(std::int64_t campaign);

// What the sentence of an Error thrown by `act` is; "" if it throws none.
template <typename Error, typename Act>
std::string sentence_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace helixcheck
