// Each failure becomes one finding of the store and one file of the corpus, counted right under
// whatever names it is seen. Real workers.

#include "fuzz/findings_desk.hpp"

#include <gtest/gtest.h>

#include "real_worker.hpp"
#include "scenario/json.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

const std::string kName = "cpu+misbehaving";
const Signature kValue{"equivalence", kName, "value", "attend"};  // what it is
const Signature kRelation{"page_order", kName, "relation", ""};   // as a property sees it
const std::string kFinal = to_text(kValue), kAsSeen = to_text(kRelation);

CampaignRecord plan(std::uint64_t seed = 0) {
  CampaignRecord plan;
  plan.subject = MISBEHAVING_SUBJECT;
  plan.seed = seed;
  plan.commit = "0123456789ab";
  return plan;
}

FailedRun failed(const Signature& signature, bool rare = true) {
  FailedRun run;
  run.index = 41;
  run.scenario = scenario(rare);
  run.property = signature.property;
  run.signature = signature;
  run.failure.kind = signature.kind;
  run.failure.blame.sentence = "as seen";
  return run;
}

// A campaign on a store: what one run of the process has.
struct Night {
  Night(const fs::path& folder, const CampaignRecord& planned, bool fresh = false)
      : store(folder / "campaign.db"),
        books(store, planned, fresh, [this](const std::string& text) { said.push_back(text); }),
        triage(real_worker(), folder / "journal", options()),
        desk(books, triage, folder / "corpus", MISBEHAVING_SUBJECT) {}

  static Triage::Options options() {
    Triage::Options options;
    options.limits.evaluations = 30;
    return options;
  }
  void report(const Signature& signature, int times, bool rare = true) {
    for (int i = 0; i < times; ++i) desk.report(failed(signature, rare), "printed");
  }
  void finish() {
    while (!triage.idle()) {
      desk.collect();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    books.checkpoint();
  }
  std::uint64_t count(const std::string& signature) const {
    const auto found = store.finding(signature);
    return found ? found->count : 0;
  }
  std::size_t heard(const std::string& part) const {
    std::size_t events = 0;
    for (const std::string& text : said) events += text.find(part) != std::string::npos;
    return events;
  }

  std::vector<std::string> said;
  Store store;
  Books books;
  Triage triage;
  FindingsDesk desk;
};

class Desk : public testing::Test {
 protected:
  std::vector<fs::path> corpus() const {
    std::vector<fs::path> files;
    const fs::path folder = folder_.path() / "corpus" / "crashing";
    if (!fs::exists(folder)) return files;
    for (const auto& file : fs::directory_iterator(folder)) files.push_back(file.path());
    return files;
  }
  const Misbehave misbehave_{"wrong"};
  TemporaryFolder folder_;
};

TEST_F(Desk, AFailureIsStoredBeforeItIsUnderstood) {
  Night run(folder_.path(), plan());
  run.report(kRelation, 1);
  const FindingRecord stored = run.store.finding(kAsSeen).value();
  EXPECT_EQ(stored.state, "new");
  EXPECT_EQ(stored.output, "printed");
  EXPECT_EQ(stored.blame, "as seen");
  EXPECT_EQ(stored.case_index, 41u);
  EXPECT_EQ(parse_scenario_file(stored.scenario_file, "").scenario.problem, scenario(true).problem);
  EXPECT_EQ(corpus().size(), 1u);
  EXPECT_EQ(stored.file, "") << "a file that triage may replace";
  EXPECT_TRUE(run.desk.found().empty());
}

// Two names, many sights, one fault.
TEST_F(Desk, AFailureIsOneFindingUnderAllItsNames) {
  Night run(folder_.path(), plan());
  run.report(kRelation, 3);
  run.report(kValue, 2);
  run.finish();
  ASSERT_EQ(run.desk.found().size(), 1u);
  EXPECT_EQ(run.desk.found()[0].seen_again, 2u);
  EXPECT_EQ(run.desk.distinct(), 1u);
  EXPECT_EQ(run.books.totals().findings, 1u);
  EXPECT_EQ(run.count(kFinal), 5u);
  run.report(kValue, 5);
  EXPECT_TRUE(run.triage.idle()) << "nothing is to be found out about them";
  run.report(kRelation, 4);
  run.finish();
  EXPECT_EQ(run.count(kFinal), 14u);
  ASSERT_EQ(run.store.findings().size(), 1u) << "none as seen";
  const FindingRecord stored = run.store.findings()[0];
  EXPECT_EQ(stored.state, "confirmed");
  EXPECT_EQ(stored.note.find("not confirmed"), std::string::npos);
  EXPECT_EQ(stored.output, "printed");
  EXPECT_EQ(corpus(), std::vector<fs::path>{stored.file}) << "and no file as seen";
  EXPECT_TRUE(run.desk.known_again().empty()) << "it is new";
  EXPECT_EQ(run.heard("found " + kFinal), 1u);
}

TEST_F(Desk, WithoutACorpusNothingIsWrittenThere) {
  Store store(folder_.path() / "campaign.db");
  Books books(store, plan(), false, [](const std::string&) {});
  Triage triage(real_worker(), folder_.path() / "journal", Night::options());
  FindingsDesk desk(books, triage, {}, MISBEHAVING_SUBJECT);
  desk.report(failed(kValue), "");
  EXPECT_EQ(store.finding(kFinal)->file, "");
}

TEST_F(Desk, WhatEarlierCampaignsFoundIsKnown) {
  {
    Night first(folder_.path(), plan());
    first.report(kRelation, 2);
    first.finish();
    first.books.close("finished", 1);
  }
  Night second(folder_.path(), plan(), true);
  second.desk.take_over(second.store.findings(), {});
  second.report(kValue, 3);
  EXPECT_TRUE(second.triage.idle());
  second.report(kRelation, 1);  // this name is not known any more
  second.finish();
  EXPECT_TRUE(second.desk.found().empty());
  EXPECT_EQ(second.desk.known_again(), (std::map<std::string, std::uint64_t>{{kFinal, 4}}));
  EXPECT_EQ(second.count(kFinal), 6u);
  EXPECT_EQ(second.store.sightings(2).at(0).count, 4u);
  EXPECT_EQ(second.store.findings().size(), 1u);
  EXPECT_EQ(second.desk.distinct(), 1u);
  EXPECT_EQ(corpus().size(), 1u);
}

// What one night could not confirm, the next one looks at again; the same night does not.
class UnconfirmedDesk : public Desk {
 protected:
  UnconfirmedDesk() {
    Night first(folder_.path(), plan());
    first.report(kValue, 1);
    first.finish();
    FindingRecord record = first.store.finding(kFinal).value();
    first.store.remove_finding(kFinal);
    record.state = "unconfirmed";
    first.store.save_finding(record);
    first.books.close("interrupted", 1);
  }
  void take_over(Night& second) const {
    second.desk.take_over(second.store.findings(),
                          find_scenarios({(folder_.path() / "corpus").string()}, folder_.path()));
  }
};

TEST_F(UnconfirmedDesk, LooksAtItAgainInTheNextCampaign) {
  ASSERT_EQ(corpus().size(), 1u);
  const fs::path other = corpus()[0].parent_path() / "of_an_earlier_look.json";
  fs::copy(corpus()[0], other);
  Night second(folder_.path(), plan(), true);
  take_over(second);
  second.report(kValue, 2);
  second.finish();
  ASSERT_EQ(second.desk.found().size(), 1u) << "it was not taken for known";
  EXPECT_EQ(second.heard("found " + kFinal), 1u);
  const FindingRecord stored = second.store.finding(kFinal).value();
  EXPECT_EQ(stored.state, "confirmed");
  EXPECT_EQ(stored.count, 3u);
  EXPECT_EQ(corpus(), std::vector<fs::path>{stored.file}) << "what it replaces is gone";
}

TEST_F(UnconfirmedDesk, KnowsItInTheSameCampaign) {
  Night again(folder_.path(), plan());
  ASSERT_TRUE(again.books.resumed());
  take_over(again);
  again.report(kValue, 2);
  EXPECT_TRUE(again.triage.idle());
  again.finish();
  EXPECT_TRUE(again.desk.found().empty());
  EXPECT_EQ(again.store.finding(kFinal)->state, "unconfirmed");
  EXPECT_EQ(again.count(kFinal), 3u);
}

TEST_F(Desk, WhatTheCorpusKnowsIsAdopted) {
  CorpusEntry entry{folder_.path() / "corpus" / "known.json", scenario(true), {}};
  entry.property = "equivalence";
  entry.signature = kFinal;
  CorpusEntry unnamed = entry;
  unnamed.signature.clear();
  Night run(folder_.path(), plan());
  run.desk.take_over(run.store.findings(), {unnamed, entry});
  EXPECT_TRUE(run.store.findings().empty()) << "it was not seen yet";
  run.report(kRelation, 2);
  run.finish();
  run.report(kValue, 1);
  run.finish();
  EXPECT_TRUE(run.desk.found().empty());
  EXPECT_EQ(run.count(kFinal), 3u);
  const FindingRecord stored = run.store.finding(kFinal).value();
  EXPECT_EQ(stored.state, "confirmed");
  EXPECT_EQ(stored.file, entry.file.string());
  EXPECT_EQ(run.desk.known_again(), (std::map<std::string, std::uint64_t>{{kFinal, 3}}));
  EXPECT_TRUE(corpus().empty()) << "it lies there already";
}

// The run that stored it was killed before it was shrunk; its file in the corpus is no finding.
TEST_F(Desk, AnUnfinishedFindingIsTakenUp) {
  for (const Signature& signature : {kValue, kRelation}) {
    const TemporaryFolder folder;
    std::vector<CorpusEntry> left;
    {
      Night killed(folder.path(), plan());
      killed.report(signature, 1);
      left = find_scenarios({(folder.path() / "corpus").string()}, folder.path());
    }
    ASSERT_EQ(left.size(), 1u);
    ASSERT_EQ(left[0].signature, to_text(signature));
    Night run(folder.path(), plan());
    ASSERT_TRUE(run.books.resumed());
    run.desk.take_over(run.store.findings(), left);
    run.desk.take_over(run.store.sightings(run.books.campaign().id));
    run.report(signature, 2);  // as the corpus is run again
    run.finish();
    ASSERT_EQ(run.desk.found().size(), 1u);
    const Finding& found = run.desk.found()[0];
    EXPECT_EQ(found.signature, kValue);
    EXPECT_GT(found.shrink_evaluations, 0) << "it is shrunk now";
    ASSERT_EQ(run.store.findings().size(), 1u);
    const FindingRecord stored = run.store.findings()[0];
    EXPECT_EQ(stored.state, "confirmed");
    EXPECT_EQ(stored.count, 3u);
    EXPECT_LT(parse_scenario_file(stored.scenario_file, "").scenario.problem.kv_lora_rank, 16);
    EXPECT_EQ(run.desk.distinct(), 1u);
    std::ptrdiff_t files = 0;
    for (const auto& file : fs::directory_iterator(folder.path() / "corpus" / "crashing")) {
      EXPECT_EQ(file.path(), found.file);
      ++files;
    }
    EXPECT_EQ(files, 1);
  }
}

// What looks like a known failure may be another one: some cases are looked at again.
TEST_F(Desk, ANameThatHidesAnotherFailureIsLookedAtAgain) {
  Night run(folder_.path(), plan());
  run.report(kRelation, 1);
  run.finish();
  ASSERT_EQ(run.count(kFinal), 1u);
  run.report(kRelation, 1);
  EXPECT_FALSE(run.triage.idle()) << "the second";
  run.finish();
  run.report(kRelation, 1);
  EXPECT_TRUE(run.triage.idle()) << "the third";
  run.report(kRelation, 1);
  EXPECT_FALSE(run.triage.idle()) << "the fourth";
  run.finish();
  EXPECT_EQ(run.count(kFinal), 4u);
  EXPECT_EQ(run.desk.found().size(), 1u);
  EXPECT_EQ(corpus().size(), 1u);
}

// It was killed between the final file and the store. Shrunk again, it may end elsewhere.
TEST_F(Desk, AFileOfAnUnfinishedFindingIsReplaced) {
  {
    Night killed(folder_.path(), plan());
    killed.report(kValue, 1);
  }
  ASSERT_EQ(corpus().size(), 1u);
  fs::copy_file(corpus()[0], corpus()[0].parent_path() / "shrunk_by_the_run_before.json");
  const fs::path regression = folder_.path() / "corpus" / "regressions" / "kept.json";
  fs::create_directories(regression.parent_path());
  fs::copy_file(corpus()[0], regression);
  Night run(folder_.path(), plan());
  run.desk.take_over(run.store.findings(),
                     find_scenarios({(folder_.path() / "corpus").string()}, folder_.path()));
  run.finish();
  ASSERT_EQ(run.desk.found().size(), 1u);
  EXPECT_EQ(corpus(), std::vector<fs::path>{run.desk.found()[0].file});
  EXPECT_TRUE(fs::exists(regression)) << "not what a campaign wrote";
}

TEST_F(Desk, ADamagedUnfinishedFindingIsAnEvent) {
  Night run(folder_.path(), plan());
  FindingRecord damaged;
  damaged.signature = kFinal;
  damaged.state = "new";
  damaged.property = "equivalence";
  damaged.scenario_file = "{";
  FindingRecord unknown = damaged;
  unknown.scenario_file = R"({"schema":1})";
  unknown.property = "beauty";
  run.desk.take_over({damaged, unknown}, {});
  EXPECT_TRUE(run.triage.idle());
  EXPECT_EQ(run.heard("an unfinished finding cannot be taken up: "), 2u);
}

// The name under which something else was seen first, until it was known better.
TEST_F(Desk, ANameIsGivenBackToWhatItBelongsTo) {
  Night run(folder_.path(), plan());
  run.report(kValue, 1, false);  // does not repeat
  run.finish();
  ASSERT_EQ(run.desk.found().size(), 1u);
  const std::string other = to_text(run.desk.found()[0].signature);
  EXPECT_EQ(run.desk.found()[0].signature.kind, "nondeterminism");
  EXPECT_EQ(run.count(kFinal), 0u);
  run.report(kRelation, 1);
  run.finish();
  ASSERT_EQ(run.desk.found().size(), 2u);
  EXPECT_EQ(run.desk.found()[1].signature, kValue);
  run.report(kValue, 3);
  run.finish();
  EXPECT_EQ(run.count(other), 1u);
  EXPECT_EQ(run.count(kFinal), 4u);
  EXPECT_EQ(run.desk.distinct(), 2u);
}

TEST_F(Desk, SuspectedCasesAreFindingsOrEvents) {
  Night run(folder_.path(), plan());
  run.desk.suspect({7, "equivalence", print_scenario(scenario(false))});
  run.desk.suspect({8, "equivalence", "{"});
  run.desk.suspect({9, "beauty", print_scenario(scenario(true))});
  run.finish();
  EXPECT_TRUE(run.desk.found().empty());
  EXPECT_TRUE(run.store.findings().empty());
  EXPECT_EQ(run.heard("a case that ran when a process was ended passes when it is run again"), 1u);
  EXPECT_EQ(run.heard("a case that was interrupted cannot be repeated: "), 2u);
  run.desk.suspect({10, "equivalence", print_scenario(scenario(true))});
  run.finish();
  ASSERT_EQ(run.desk.found().size(), 1u);
  EXPECT_EQ(run.desk.found()[0].case_index, 10u);
  EXPECT_EQ(run.count(kFinal), 1u);
}

}  // namespace
}  // namespace helixcheck
