// The harness itself: a faulty subject makes a property fail, and the report says on what.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

TEST(Faulty, PropertyFailsAndNamesTheScenario) {
  const Subject subject(cpu::subject(), &faulty_subject(Fault::log2_merge));
  const PropertyRun run = run_property("ranks", subject, {}, 300);
  EXPECT_FALSE(run.passed);
  EXPECT_NE(run.report.find("ranks/cpu+log2_merge/relation"), std::string::npos) << run.report;
  EXPECT_NE(run.report.find("--kvp"), std::string::npos) << run.report;
  EXPECT_NE(run.report.find("Scenario s;"), std::string::npos) << run.report;
}

TEST(Faulty, TheSameCasesAgain) {
  const Subject subject(cpu::subject(), &faulty_subject(Fault::dropped_key));
  const PropertyRun first = run_property("ranks", subject, {}, 300);
  const PropertyRun again = run_property("ranks", subject, {}, 300);
  EXPECT_EQ(first.report, again.report);
  EXPECT_EQ(first.cases, again.cases);
}

}  // namespace
}  // namespace helixcheck
