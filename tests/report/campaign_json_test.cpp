// Programs and the page read the same document.

#include "report/campaign_json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "made_up_campaign.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

TEST(CampaignJson, HoldsAllParts) {
  const Json json = Json::parse(json_of(made_up_campaign()));
  EXPECT_EQ(json, Json::parse(compact_json_of(made_up_campaign())));
  EXPECT_EQ(json.at("chosen"), 3);
  EXPECT_EQ(json.at("counts"), Json({{"seen", 4}, {"new", 3}}));
  EXPECT_EQ(json.at("campaigns").size(), 3u);
  EXPECT_EQ(json.at("findings").size(), 5u);
  const Json& value = json.at("findings").at(3);
  EXPECT_EQ(value.at("signature"), "equivalence/dcp_attention/value/attend");
  EXPECT_EQ(value.at("novelty"), "again");
  EXPECT_EQ(value.at("seen").size(), 2u);
  EXPECT_EQ(value.at("seen").at(1).at("campaign"), 3);
  EXPECT_EQ(json.at("progress").at("cases").size(), 1000u);
  EXPECT_EQ(json.at("progress").at("time").size(), 1000u);
  EXPECT_EQ(json.at("cases").size(), 300u);
  EXPECT_EQ(json.at("cases_kept"), 900);
  EXPECT_EQ(json.at("interesting").size(), 100u);
  EXPECT_EQ(json.at("events").size(), 2u);
}

TEST(CampaignJson, KeepsLargeIntegersAndWhatIsNotFinite) {
  CampaignView view = made_up_campaign();
  view.campaigns[2].totals.cases = (std::uint64_t{1} << 53) + 1;
  view.campaigns[2].totals.subject_runs = std::uint64_t{1} << 53;
  const Json json = Json::parse(json_of(view));
  const Json& campaign = json.at("campaigns").at(2);
  EXPECT_EQ(campaign.at("seed"), "18446744073709551557");
  EXPECT_EQ(campaign.at("totals").at("cases"), "9007199254740993");
  EXPECT_EQ(campaign.at("totals").at("subject_runs"), 9007199254740992u);
  for (const Json& tap : json.at("taps")) {
    EXPECT_EQ(tap.at("worst_ratio") == "inf", tap.at("tap") == "combined_lse");
  }
}

TEST(CampaignJson, TakesAnyBytes) {
  CampaignView view = made_up_campaign();
  view.findings[1].output = std::string("caf\xe9 \xff\0end", 10);
  const Json json = Json::parse(json_of(view));
  EXPECT_EQ(json.at("findings").at(0).at("output"),
            Json("caf\xef\xbf\xbd \xef\xbf\xbd").get<std::string>() + std::string("\0end", 4));
}

TEST(CampaignJson, OfACampaignThatHasJustBegun) {
  const Json json = Json::parse(json_of(made_up_empty_campaign()));
  EXPECT_TRUE(json.at("share_outside_cases").is_null());
  EXPECT_EQ(json.at("progress"), Json::object());
  EXPECT_TRUE(json.at("findings").is_array());
  EXPECT_TRUE(json.at("coverage").at("pairs").empty());
}

}  // namespace
}  // namespace helixcheck
