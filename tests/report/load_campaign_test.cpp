// From a store to a view.

#include "report/load_campaign.hpp"

#include <gtest/gtest.h>

#include "made_up_campaign.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"
#include "store_of.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

TEST(LoadCampaign, GivesWhatWasStored) {
  const TemporaryFolder folder;
  const CampaignView made = made_up_campaign();
  store_view(made, folder.path() / "a.db");
  const CampaignView view = load_campaign(StoreReader(folder.path() / "a.db"), std::nullopt);
  EXPECT_EQ(view.store, (folder.path() / "a.db").string());
  ASSERT_EQ(view.campaigns.size(), 3u);
  EXPECT_EQ(view.campaign().id, 3);
  EXPECT_EQ(view.campaign().seed, kLargeSeed);
  EXPECT_EQ(view.progress.size(), made.progress.size());
  EXPECT_EQ(view.taps.size(), made.taps.size());
  EXPECT_EQ(view.pairs.size(), made.pairs.size());
  EXPECT_EQ(view.cases.size(), made.cases.size());
  EXPECT_EQ(view.interesting.size(), made.interesting.size());
  EXPECT_EQ(view.events.size(), made.events.size());
  EXPECT_EQ(view.findings.size(), made.findings.size());
  EXPECT_EQ(headline(view), headline(made));
}

TEST(LoadCampaign, GivesTheOneThatIsNamed) {
  const TemporaryFolder folder;
  store_view(made_up_campaign(), folder.path() / "a.db");
  const StoreReader store(folder.path() / "a.db");
  const CampaignView view = load_campaign(store, 2);
  EXPECT_EQ(view.campaign().id, 2);
  EXPECT_TRUE(view.progress.empty());
  EXPECT_EQ(view.findings.size(), 5u) << "findings are of the whole store";
}

std::string refusal(const StoreReader& store, std::optional<std::int64_t> campaign) {
  try {
    load_campaign(store, campaign);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(LoadCampaign, RefusesWhatIsNotThere) {
  const TemporaryFolder folder;
  const std::string full = (folder.path() / "full.db").string();
  const std::string empty = (folder.path() / "empty.db").string();
  store_view(made_up_campaign(), full);
  { const Store made(empty); }
  EXPECT_EQ(refusal(StoreReader(full), 4), full + " has no campaign 4; it has 1 to 3");
  EXPECT_EQ(refusal(StoreReader(empty), std::nullopt),
            empty + " holds no campaign yet: there is nothing to report");
}

}  // namespace
}  // namespace helixcheck
