// The page as text; tests/browser opens it.

#include "report/page.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

#include "made_up_campaign.hpp"
#include "report/campaign_json.hpp"

namespace helixcheck {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

bool holds(const std::string& text, const std::string& part) {
  return count(text, part) > 0;
}

// A library that does nothing, so that the text of the real one hides nothing.
const ChartLibrary kNothing{"/* charts */", "notices", ""};

std::string data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t first = page.find(begin) + begin.size();
  return page.substr(first, page.find("</script>", first) - first);
}

TEST(Page, HoldsItsDataExactly) {
  const CampaignView view = made_up_campaign();
  const std::string page = html_of(view, kNothing);
  EXPECT_EQ(nlohmann::json::parse(data_of(page)), nlohmann::json::parse(json_of(view)));
}

TEST(Page, TakesNothingOfTheStoreAsMarkup) {
  CampaignView view = made_up_campaign();
  view.campaigns[2].subject = kHostileText;
  view.store = kHostileText;
  const std::string page = html_of(view, kNothing);
  EXPECT_FALSE(holds(page, "<img"));
  EXPECT_FALSE(holds(page, "<b>case"));
  EXPECT_EQ(count(page, "</script>"), 4u) << "its own";
  EXPECT_EQ(count(page, "<!--"), 0u);
  EXPECT_EQ(count(page, "<title>"), 1u);
  EXPECT_EQ(nlohmann::json::parse(data_of(page)).at("store"), kHostileText)
      << "a mark inside of the data is left alone";
}

TEST(Page, LoadsNothing) {
  const std::string page = html_of(made_up_campaign(), kNothing);
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href|action)\\s*=\\s*[\"']?\\s*[a-z]+:")));
  EXPECT_FALSE(std::regex_search(page, std::regex("<(link|iframe|object|embed|img)[ >]")));
  EXPECT_FALSE(std::regex_search(page, std::regex("@import|url\\(")));
  EXPECT_FALSE(holds(page, "fetch("));
  EXPECT_FALSE(holds(page, "XMLHttpRequest"));
  EXPECT_TRUE(holds(page, "default-src 'none'"));
}

TEST(Page, RunsOnlyItsOwnScripts) {
  const std::string page = html_of(made_up_campaign(), kNothing);
  std::smatch policy;
  ASSERT_TRUE(std::regex_search(page, policy, std::regex("script-src 'nonce-([0-9a-f]{16})'")));
  EXPECT_EQ(count(page, "<script nonce=\"" + policy[1].str() + "\">"), 3u);
  EXPECT_EQ(count(page, "<script"), 4u);
  CampaignView other = made_up_campaign();
  other.made += " ";
  EXPECT_FALSE(holds(html_of(other, kNothing), "nonce-" + policy[1].str()))
      << "who writes into a store cannot know the word";
}

TEST(Page, FillsEveryMark) {
  const std::string page = html_of(made_up_empty_campaign(), kNothing);
  EXPECT_FALSE(holds(page, "{{"));
  EXPECT_TRUE(holds(page, "<title>Helixcheck: campaign 1, cpu, No findings, in 0 cases</title>"));
  EXPECT_TRUE(holds(page, "/* charts */"));
}

TEST(Page, SaysWhyItHasNoPlots) {
  const std::string page = html_of(made_up_campaign(), {"", "", "no <network> at all"});
  EXPECT_TRUE(holds(page, "There are no plots on this page: no &lt;network&gt; at all."));
}

TEST(ChartLibrary, IsThereWithItsLicenceOrSaysWhyNot) {
  const ChartLibrary& library = chart_library();
  if (library.script.empty()) {
    EXPECT_FALSE(library.missing.empty());
    return;
  }
  EXPECT_EQ(library.missing, "");
  EXPECT_TRUE(holds(std::string(library.script.substr(0, 1000)), "Apache License, Version 2.0"));
  EXPECT_TRUE(holds(std::string(library.notices), "Apache ECharts"));
  EXPECT_FALSE(holds(std::string(library.script), "</script"));
}

}  // namespace
}  // namespace helixcheck
