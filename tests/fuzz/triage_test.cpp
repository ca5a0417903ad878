// Failures become findings one after the other, each once. Real workers.

#include "fuzz/triage.hpp"

#include <atomic>
#include <gtest/gtest.h>

#include "real_worker.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

const std::string kSubject = "cpu+misbehaving";

class Triages : public testing::Test {
 protected:
  Triages() { options_.limits.evaluations = 40; }

  void start(const WorkerSetup& setup = real_worker()) {
    options_.interrupted = [this] { return interrupted_.load(); };
    triage_ = std::make_unique<Triage>(setup, folder_.path() / "journal", options_);
  }

  static TriageJob job(const Signature& signature, bool rare = true) {
    TriageJob made;
    made.failed.at.index = 41;
    made.failed.at.drawn.scenario = scenario(rare);
    made.failed.at.property = &find_property(signature.property);
    made.failed.signature = signature;
    made.failed.failure.kind = signature.kind;
    made.failed.failure.blame.sentence = "as seen";
    made.output = "printed";
    return made;
  }
  static TriageJob suspicion(bool rare) {
    TriageJob made = job({"equivalence", "", "", ""}, rare);
    made.failed.signature = {};
    made.failed.failure = {};
    made.output.clear();
    made.only_suspected = true;
    return made;
  }

  std::vector<TriageResult> results() {
    std::vector<TriageResult> all;
    while (!triage_->idle()) {
      if (auto result = triage_->take_result()) all.push_back(*std::move(result));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return all;
  }
  TriageResult only_result() {
    std::vector<TriageResult> all = results();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? TriageResult{} : std::move(all.front());
  }

  TemporaryFolder folder_;
  Triage::Options options_;
  std::atomic<bool> interrupted_ = false;
  std::unique_ptr<Triage> triage_;
};

const Signature kValue{"equivalence", kSubject, "value", "attend"};
const Signature kRelation{"page_order", kSubject, "relation", ""};

TEST_F(Triages, AFailureIsConfirmedShrunkAndNamedAfterItsStage) {
  const Misbehave misbehave("wrong");
  start();
  triage_->add(job(kRelation));
  const TriageResult result = only_result();
  EXPECT_EQ(result.as_seen, kRelation);
  EXPECT_FALSE(result.known);
  EXPECT_EQ(result.output, "printed");
  ASSERT_TRUE(result.finding.has_value());
  EXPECT_EQ(result.finding->signature, kValue);
  EXPECT_EQ(result.finding->unconfirmed, "");
  EXPECT_EQ(result.finding->case_index, 41u);
  EXPECT_GT(result.finding->shrink_evaluations, 0);
  EXPECT_LE(result.finding->shrink_evaluations, 40);
  EXPECT_LT(result.finding->scenario.problem.kv_lora_rank, 16);
  EXPECT_EQ(triage_->doing(), "");
}

TEST_F(Triages, WithoutTheEquivalenceAFailureKeepsItsName) {
  const Misbehave misbehave("wrong");
  options_.attributes = false;
  start();
  triage_->add(job(kRelation));
  const TriageResult result = only_result();
  ASSERT_TRUE(result.finding.has_value());
  EXPECT_EQ(result.finding->signature.property, "page_order");
}

TEST_F(Triages, WhatIsKnownIsNotShrunkAgain) {
  const Misbehave misbehave("wrong");
  start();
  triage_->know(to_text(kValue));
  triage_->add(job(kRelation));
  const TriageResult result = only_result();
  EXPECT_TRUE(result.known);
  EXPECT_EQ(result.as_seen, kRelation);
  ASSERT_TRUE(result.finding.has_value());
  EXPECT_EQ(result.finding->signature, kValue);
  EXPECT_EQ(result.finding->shrink_evaluations, 0);
}

TEST_F(Triages, WhatWasFoundIsKnown) {
  const Misbehave misbehave("wrong");
  start();
  for (int i = 0; i < 3; ++i) triage_->add(job(i == 1 ? kValue : kRelation));
  const std::vector<TriageResult> all = results();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].as_seen, kValue) << "in order";
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i].known, i > 0);
    EXPECT_EQ(all[i].finding->signature, kValue);
  }
}

TEST_F(Triages, ASuspectedCaseThatPassesIsNoFinding) {
  const Misbehave misbehave("kill_self");
  start();
  triage_->add(suspicion(false));
  const TriageResult result = only_result();
  EXPECT_FALSE(result.finding.has_value());
  EXPECT_EQ(result.unsure, "");
}

TEST_F(Triages, ASuspectedCaseThatKillsIsAFinding) {
  const Misbehave misbehave("kill_self");
  options_.limits.evaluations = 3;
  start();
  triage_->add(suspicion(true));
  const TriageResult result = only_result();
  const Signature crash{"equivalence", kSubject, "crash", "attend"};
  EXPECT_EQ(result.as_seen, crash);
  ASSERT_TRUE(result.repeated.has_value()) << "a failure like any other from now on";
  EXPECT_EQ(result.repeated->signature, crash);
  EXPECT_EQ(result.unsure, "");
}

TEST_F(Triages, WhereNoWorkerStartsAFailureIsUnconfirmed) {
  WorkerSetup none;
  none.arguments = {"/bin/false"};
  start(none);
  triage_->add(job(kRelation));
  triage_->add(suspicion(true));
  triage_->add(job(kValue));
  const std::vector<TriageResult> all = results();
  ASSERT_EQ(all.size(), 3u);
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    const Signature& signature = i == 0 ? kRelation : kValue;
    EXPECT_EQ(all[i].as_seen, signature);
    ASSERT_TRUE(all[i].finding.has_value());
    EXPECT_EQ(all[i].finding->signature, signature);
    EXPECT_EQ(all[i].finding->scenario, scenario(true));
  }
  const std::string why = "a worker cannot be started: it ended its process with status 1";
  EXPECT_EQ(all[0].finding->unconfirmed, why);
  EXPECT_FALSE(all[1].finding.has_value()) << "nobody knows whether it is one";
  EXPECT_EQ(all[1].unsure, why);
}

// Else the next run would take it for one that cannot be confirmed.
TEST_F(Triages, WhatIsInterruptedIsStillToBeDone) {
  const Misbehave misbehave("wrong");
  interrupted_ = true;
  start();
  triage_->add(job(kValue));
  triage_->add(suspicion(true));
  EXPECT_TRUE(results().empty());
}

TEST_F(Triages, OutputIsNotThatOfAnotherFinding) {
  const Misbehave misbehave("abort");
  options_.limits.evaluations = 2;
  start();
  TriageJob crash = job({"equivalence", kSubject, "crash", "attend"});
  crash.output.clear();
  TriageJob value = job(kValue, false);  // it passes
  value.output.clear();
  triage_->add(crash);
  triage_->add(value);
  const std::vector<TriageResult> all = results();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].finding->unconfirmed, "");
  EXPECT_EQ(all[1].finding->signature.kind, "nondeterminism");
  EXPECT_EQ(all[1].output, "");
}

TEST_F(Triages, EndWithWorkWaiting) {
  const Misbehave misbehave("wrong");
  start();
  for (int i = 0; i < 100; ++i) triage_->add(job(kValue));
  EXPECT_FALSE(triage_->idle());
  interrupted_ = true;
  triage_.reset();
}

}  // namespace
}  // namespace helixcheck
