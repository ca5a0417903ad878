// What a report of mutants says of those that an interruption has left.

#include "report/mutants_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace helixcheck {
namespace {

using Json = nlohmann::json;

constexpr Mutant kDone{"done", "", MutantClass::merge, "", HXC_COMBINE, "", nullptr};
constexpr Mutant kOpen{"still_open", "", MutantClass::merge, "", HXC_COMBINE, "", nullptr};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The line of a table that begins with a mutant's name.
std::string row_of(const std::string& text, const std::string& id) {
  const std::size_t begin = text.find("\n" + id) + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

template <typename Score>
Score score_of(const Mutant* mutant, bool finished) {
  Score score;
  score.mutant = mutant;
  score.finished = finished;
  return score;
}

TEST(MutantsReport, NamesWhatTheSearchWasNotThroughWith) {
  ScoreReport report;
  report.interrupted = true;
  report.scores = {score_of<MutantScore>(&kDone, true), score_of<MutantScore>(&kOpen, false)};
  for (MutantScore& score : report.scores) score.seeds = {{1, true, 3}};
  const std::string text = describe(report);
  EXPECT_TRUE(holds(text, ": 1 of 2: still_open\ninterrupted after ")) << text;
  EXPECT_FALSE(holds(text, "survives")) << text;
  const Json mutants = Json::parse(json_of(report)).at("mutants");
  EXPECT_TRUE(mutants[0].at("finished"));
  EXPECT_FALSE(mutants[1].at("finished"));
  report.scores.pop_back();
  EXPECT_FALSE(holds(describe(report), "not through"));
}

TEST(MutantsReport, NamesWhatTheFixedSuiteWasNotThroughWith) {
  FixedReport report;
  report.interrupted = true;
  report.scenarios = {"one", "two", "three"};
  report.correct = score_of<FixedScore>(nullptr, false);
  report.scores = {score_of<FixedScore>(&kDone, true), score_of<FixedScore>(&kOpen, false)};
  report.correct.runs = report.scores[1].runs = {{"one"}};
  report.scores[0].runs = {{"one", 1, 1, true, true}};
  for (const FixedVerdict verdict : {FixedVerdict::bounds, FixedVerdict::mismatch}) {
    const std::string text = describe(report, verdict);
    EXPECT_TRUE(holds(text, ": 1 of 2: still_open\ninterrupted after ")) << text;
    EXPECT_TRUE(holds(row_of(text, "done"), " yes ")) << text;
    EXPECT_TRUE(holds(row_of(text, "still_open"), " ? ")) << text;
    EXPECT_FALSE(holds(row_of(text, "still_open"), "NO")) << "nobody knows yet\n" << text;
    EXPECT_TRUE(holds(text, "correct subject: passes (1 of 3 scenarios)\n")) << text;
    const Json mutants = Json::parse(json_of(report, verdict)).at("mutants");
    EXPECT_FALSE(mutants[1].at("finished"));
  }
}

}  // namespace
}  // namespace helixcheck
