// Findings for people: everything that is needed to see a failure again stands in the text.

#include "report/findings.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace helixcheck {
namespace {

Finding finding() {
  Finding made;
  made.signature = {"equivalence", "cpu+mine", "value", "attend"};
  made.scenario.problem.entry = Entry::core;
  made.scenario.problem.ctx_len = {3, 9};
  made.blame.sentence = "step 1: attend wrote nonsense";
  made.case_index = 17;
  made.seen_again = 4;
  made.shrink_evaluations = 321;
  made.locally_minimal = true;
  made.explanation.fields = {{"layout.kvp", ">= 3", true, 9, 6}, {"run.atol", "any", false, 5, 5}};
  made.file = "/corpus/regressions/equivalence_attend_01234567.json";
  return made;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The scenario file in a finding's text, which stands there indented.
std::string file_in(const std::string& text) {
  const std::size_t begin = text.find("    {\n"), end = text.find("\n    }\n");
  return begin < end && end < text.size() ? text.substr(begin, end + 7 - begin) : "";
}

TEST(DescribeFinding, HoldsAllThatIsNeeded) {
  const std::string text = describe(finding(), "./mine.so");
  for (const char* part :
       {"equivalence/cpu+mine/value/attend\n", "step 1: attend wrote nonsense", "kvp >= 3",
        "321 evaluations, locally minimal", "Scenario s;", "s.problem.ctx_len = {3, 9};",
        "stored: /corpus/regressions/equivalence_attend_01234567.json",
        "replay: helixcheck run --entry core --ctx-len 3,9 --subject ./mine.so"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(holds(text, "NOT stored"));
  EXPECT_FALSE(holds(text, "changes on repetition"));
}

TEST(DescribeFinding, HoldsTheWholeFileInCaseItIsNotStored) {
  Finding lost = finding();
  lost.file.clear();
  lost.not_stored = "/full/regressions: No space left on device";
  lost.before.resize(1);
  lost.before[0].layout.kvp = 8;
  const std::string text = describe(lost, "./mine.so");
  EXPECT_TRUE(holds(text, "NOT stored, keep the text above: /full/regressions: No space"));
  EXPECT_FALSE(holds(text, "  stored:"));
  EXPECT_TRUE(holds(text, "after 1 others, which it needs"));
  const ScenarioFile file = parse_scenario_file(file_in(text), "the text");
  EXPECT_EQ(content_hash(file.scenario), content_hash(lost.scenario));
  EXPECT_EQ(file.before, lost.before);
  EXPECT_EQ(file.provenance.subject, "./mine.so");
  EXPECT_EQ(file.provenance.signature, "equivalence/cpu+mine/value/attend");
}

TEST(DescribeFinding, SaysWhyItWasNotShrunkFurther) {
  Finding stopped = finding();
  stopped.locally_minimal = false;
  stopped.stopped_by = "seconds";
  EXPECT_TRUE(
      holds(describe(stopped, "cpu"), "not shown to be locally minimal (stopped by seconds)"));
}

TEST(DescribeFinding, ShowsWhatTheRepetitionsShowed) {
  Finding changing = finding();
  changing.signature.kind = "nondeterminism";
  changing.shrink_evaluations = 0;
  changing.nondeterminism = "first failed as x; again here passed";
  const std::string text = describe(changing, "cpu");
  EXPECT_TRUE(holds(text, "the verdict changes on repetition: first failed as x; again here"));
  EXPECT_FALSE(holds(text, "shrunk:")) << "it was not";
}

TEST(ReplayCommand, NamesThePropertyAndWhatMustRunBefore) {
  Finding related = finding();
  related.signature.property = "page_order";
  EXPECT_TRUE(holds(replay_command(related, "cpu"), "--property page_order"));
  EXPECT_FALSE(holds(replay_command(finding(), "cpu"), "--property"));
  related.before.resize(2);
  EXPECT_EQ(replay_command(related, "./mine.so"),
            "helixcheck replay " + related.file.string() + " --subject ./mine.so")
      << "options cannot say it";
  related.file.clear();
  EXPECT_EQ(replay_command(related, "cpu").rfind("helixcheck replay page_order_attend_", 0), 0u)
      << "the name of the file that the reader has to make";
}

TEST(DescribeExplanation, IsATableOfAllFields) {
  const std::string text = describe(finding().explanation);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_TRUE(holds(text, "layout.kvp"));
  EXPECT_TRUE(holds(text, "6/9"));
  EXPECT_TRUE(holds(text, "5/5"));
}

TEST(DescribeReport, CountsAndNamesItsFindings) {
  CheckReport report;
  report.findings = {finding(), finding()};
  report.seconds = 2;
  report.statistics.add_unjudged();
  std::string text = describe(report, "cpu");
  EXPECT_EQ(text.rfind("0 cases, 0 subject runs, 2.0 s", 0), 0u) << text;
  for (const char* part : {"2 findings\n", "finding 1, case 17, seen 4 more times: equivalence/",
                           "finding 2, case 17", "1 cases were not judged"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
  report.interrupted = true;
  report.findings.pop_back();
  text = describe(report, "cpu");
  EXPECT_EQ(text.rfind("interrupted after 0 cases", 0), 0u) << text;
  EXPECT_TRUE(holds(text, "1 finding\n"));
}

}  // namespace
}  // namespace helixcheck
