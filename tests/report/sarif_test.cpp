// What a code host reads.

#include "report/sarif.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "made_up_campaign.hpp"
#include "property/property.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

Json run_of(const CampaignView& view, const std::filesystem::path& root = "/repository") {
  const Json json = Json::parse(sarif_of(view, root));
  EXPECT_EQ(json.at("version"), "2.1.0");
  EXPECT_EQ(json.at("$schema"), "https://json.schemastore.org/sarif-2.1.0.json");
  EXPECT_EQ(json.at("runs").size(), 1u);
  return json.at("runs").at(0);
}

// The artifact location of a view's only finding, which lies there.
Json location_of(const std::string& file) {
  CampaignView view = made_up_campaign();
  view.findings.resize(1);
  view.findings[0].file = file;
  return run_of(view).at("results").at(0).at("locations").at(0);
}

Json artifact_of(const std::string& file) {
  return location_of(file).at("physicalLocation").at("artifactLocation");
}

TEST(Sarif, RulesAreTheProperties) {
  const Json driver = run_of(made_up_campaign()).at("tool").at("driver");
  EXPECT_EQ(driver.at("name"), "helixcheck");
  EXPECT_FALSE(driver.at("version").get<std::string>().empty());
  const Json& rules = driver.at("rules");
  ASSERT_EQ(rules.size(), properties().size());
  std::set<std::string> ids;
  for (const Json& rule : rules) {
    ids.insert(rule.at("id"));
    EXPECT_FALSE(rule.at("shortDescription").at("text").get<std::string>().empty());
  }
  EXPECT_EQ(ids.size(), rules.size()) << "an id stands for one rule";
  EXPECT_EQ(rules.at(0).at("shortDescription").at("text"), properties()[0].about);
}

TEST(Sarif, ResultsAreTheFindings) {
  const CampaignView view = made_up_campaign();
  const Json run = run_of(view);
  const Json& results = run.at("results");
  ASSERT_EQ(results.size(), view.findings.size());
  for (const Json& result : results) {
    EXPECT_EQ(result.at("level"), "error");
    const std::size_t index = result.at("ruleIndex");
    EXPECT_EQ(run.at("tool").at("driver").at("rules").at(index).at("id"), result.at("ruleId"));
  }
  const Json& value = results.at(3);
  EXPECT_EQ(value.at("ruleId"), "equivalence");
  EXPECT_EQ(value.at("message").at("text"),
            view.findings[0].blame + "\nReplay: " + view.findings[0].replay);
  EXPECT_EQ(value.at("partialFingerprints").at("helixcheckSignature/v1"),
            "equivalence/dcp_attention/value/attend");
  EXPECT_EQ(value.at("baselineState"), "unchanged");
  EXPECT_EQ(results.at(0).at("baselineState"), "new");
}

TEST(Sarif, NamesPropertiesOfOtherVersions) {
  CampaignView view = made_up_campaign();
  view.findings.resize(2);
  view.findings[0].property = view.findings[1].property = "of_tomorrow";
  const Json run = run_of(view);
  EXPECT_EQ(run.at("tool").at("driver").at("rules").size(), properties().size() + 1);
  for (const Json& result : run.at("results")) {
    EXPECT_EQ(result.at("ruleIndex"), properties().size());
  }
}

TEST(Sarif, LocationsAreRelativeToTheRepository) {
  const Json inside = {{"uri", "corpus/regressions/a.json"}, {"uriBaseId", "%SRCROOT%"}};
  EXPECT_EQ(artifact_of("corpus/regressions/a.json"), inside);
  EXPECT_EQ(artifact_of("./corpus/regressions/a.json"), inside);
  EXPECT_EQ(artifact_of("/repository/corpus/regressions/a.json"), inside);
  EXPECT_EQ(artifact_of("/elsewhere/a.json"), Json({{"uri", "file:///elsewhere/a.json"}}));
  EXPECT_EQ(artifact_of("../a.json"), Json({{"uri", "file:///a.json"}}));
  EXPECT_EQ(artifact_of("corpus/a b#c%\xc3\xa9.json").at("uri"), "corpus/a%20b%23c%25%C3%A9.json");
}

TEST(Sarif, AFindingInNoFileHasALogicalLocationOnly) {
  const Json location = location_of("");
  EXPECT_FALSE(location.contains("physicalLocation"));
  EXPECT_EQ(location.at("logicalLocations").at(0).at("fullyQualifiedName"),
            "equivalence/dcp_attention/value/attend");
}

TEST(Sarif, LeavesOutTimesThatAreNotKnown) {
  const Json invocation = run_of(made_up_empty_campaign()).at("invocations").at(0);
  EXPECT_EQ(invocation.at("executionSuccessful"), true);
  EXPECT_TRUE(invocation.contains("startTimeUtc"));
  EXPECT_FALSE(invocation.contains("endTimeUtc")) << "the format demands a time";
}

}  // namespace
}  // namespace helixcheck
