// A case as others read it: a record, and a line of JSON in the schema of Hypothesis.

#include "fuzz/observation_row.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "scenario/json.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

PropertyResult with_ratios(std::vector<std::pair<Tap, double>> ratios) {
  PropertyResult result;
  for (const auto& [tap, ratio] : ratios) {
    TapResult& one = result.taps.emplace_back();
    one.tap = tap;
    one.worst_ratio = ratio;
  }
  return result;
}

class Rows : public testing::Test {
 protected:
  CaseRow row(const PropertyResult* result, bool given = false) const {
    return {812,    "mutation", drawn_.scenario, "ranks", given ? nullptr : &drawn_,
            result, 0.25,       1.75e9};
  }
  nlohmann::json line(const PropertyResult* result, bool given = false) const {
    const std::string text = observation_row(row(result, given));
    EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
    return nlohmann::json::parse(text);
  }
  const DrawnScenario drawn_ = ScenarioSeries(1).draw(300);
};

TEST_F(Rows, ARecordHasTheWorstTap) {
  const PropertyResult result =
      with_ratios({{Tap::lse, 0.5}, {Tap::combined, kInfinity}, {Tap::output, 0.75}});
  const CaseRecord record = case_record(row(&result), "text");
  EXPECT_EQ(record.index, 812u);
  EXPECT_EQ(record.property, "ranks");
  EXPECT_EQ(record.status, "passed");
  EXPECT_EQ(record.origin, "mutation");
  EXPECT_EQ(record.tap, "combined");
  EXPECT_EQ(record.ratio, kInfinity);
  EXPECT_EQ(record.seconds, 0.25);
  EXPECT_EQ(record.scenario, "text");
  EXPECT_EQ(record.campaign, 0) << "whoever stores it knows";
  EXPECT_TRUE(std::regex_match(record.time, std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

TEST_F(Rows, ARecordSaysHowItWent) {
  PropertyResult result = with_ratios({});
  EXPECT_EQ(case_record(row(&result), "").tap, "");
  EXPECT_EQ(case_record(row(&result), "").ratio, 0);
  EXPECT_EQ(case_record(row(nullptr), "").status, "unjudged");
  result.failure = Failure{"value", {}};
  EXPECT_EQ(case_record(row(&result), "").status, "failed");
}

TEST_F(Rows, ALineHoldsTheCase) {
  const PropertyResult result = with_ratios({{Tap::lse, 0.5}, {Tap::combined, kInfinity}});
  const nlohmann::json json = line(&result);
  EXPECT_EQ(json["type"], "test_case");
  EXPECT_EQ(json["property"], "ranks");
  EXPECT_EQ(json["status"], "passed");
  EXPECT_EQ(json["status_reason"], "");
  EXPECT_EQ(json["how_generated"], "mutation");
  EXPECT_EQ(json["metadata"]["case"], 812);
  EXPECT_EQ(json["timing"]["execute:test"], 0.25);
  EXPECT_TRUE(json["coverage"].is_null());
  EXPECT_EQ(json["run_start"], 1.75e9);
  EXPECT_EQ(json["features"]["ratio:lse"], 0.5);
  EXPECT_EQ(json["features"]["ratio:combined"], "inf") << "JSON has no infinities";
  EXPECT_EQ(json["features"].size(), features().size() + 2);
  for (std::size_t f = 0; f < features().size(); ++f) {
    EXPECT_EQ(json["features"][std::string(features()[f].name)],
              features()[f].levels[drawn_.selection[f]].name);
  }
  EXPECT_EQ(parse_scenario(json["representation"].get<std::string>(), "line"), drawn_.scenario);
  EXPECT_EQ(parse_scenario(json["arguments"]["scenario"].dump(), "line"), drawn_.scenario);
}

TEST_F(Rows, ALineSaysWhyACaseFailed) {
  PropertyResult result = with_ratios({{Tap::lse, std::nan("")}});
  result.failure = Failure{"value", {}};
  result.failure->blame.sentence = "attend wrote \"\xff\n\"";
  const nlohmann::json json = line(&result);
  EXPECT_EQ(json["status"], "failed");
  const auto reason = json["status_reason"].get<std::string>();
  EXPECT_EQ(reason.rfind("attend wrote \"", 0), 0u) << "though it is no valid text";
  EXPECT_EQ(json["features"]["ratio:lse"], "nan");
}

TEST_F(Rows, ALineOfAGivenCaseHasNoLevels) {
  const nlohmann::json json = line(nullptr, true);
  EXPECT_EQ(json["status"], "gave_up") << "Hypothesis knows no other word";
  EXPECT_EQ(json["status_reason"], "not judged");
  EXPECT_TRUE(json["features"].is_object());
  EXPECT_TRUE(json["features"].empty());
}

}  // namespace
}  // namespace helixcheck
