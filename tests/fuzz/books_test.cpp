// A campaign's accounts in memory and in its store: they go on where a killed run ended, and
// nothing is lost to a store that cannot be written for a while.

#include "fuzz/books.hpp"

#include <csignal>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/resource.h>

#include "support/child.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

CampaignRecord plan() {
  CampaignRecord plan;
  plan.command = "helixcheck fuzz";
  plan.subject = "cpu";
  plan.world = "sim";
  plan.commit = "0123456789ab";
  plan.jobs = 2;
  return plan;
}

// As a worker would answer after a few cases of the series.
Answer answer(std::uint64_t first, std::uint64_t cases) {
  static const ScenarioSeries series(1);
  Answer made;
  made.kind = Answer::Kind::ran;
  made.done = cases;
  made.busy_seconds = 0.5;
  for (std::uint64_t i = first; i < first + cases; ++i) {
    const DrawnScenario drawn = series.draw(i);
    PropertyResult result;
    result.subject_runs = 2;
    TapResult& tap = result.taps.emplace_back();
    tap.tap = i % 2 == 0 ? Tap::lse : Tap::combined;
    tap.worst_ratio = 1 / static_cast<double>(1 + i % 40);
    made.statistics.add(drawn, "equivalence", result, 1e-4);
    if (i % 5 != 0) continue;
    CounterChoices choices(9, i, 0);
    KeptCase& kept = made.kept.emplace_back();
    kept.discovery = {genome_from(drawn.selection, Size::small, choices), result.taps, "lse 2^-1"};
    kept.index = i;
    kept.property = "equivalence";
    kept.scenario = "{}";
  }
  return made;
}

FindingRecord finding(const Books& books, const std::string& stage) {
  FindingRecord record;
  record.signature = "equivalence/cpu/value/" + stage;
  record.property = "equivalence";
  record.state = "confirmed";
  record.count = 1;
  record.last_campaign = books.campaign().id;
  return record;
}

class BookKeeping : public testing::Test {
 protected:
  Books open(Store& store, const CampaignRecord& planned = plan(), bool fresh = false) {
    return Books(store, planned, fresh, [this](const std::string& text) { said_.push_back(text); });
  }
  TemporaryFolder folder_;
  const fs::path file_ = folder_.path() / "campaign.db";
  std::vector<std::string> said_;
};

TEST_F(BookKeeping, ACampaignIsInTheStoreFromItsBeginning) {
  Store store(file_);
  const Books books = open(store);
  EXPECT_FALSE(books.resumed());
  const CampaignRecord stored = store.last_campaign().value();
  EXPECT_EQ(stored.id, books.campaign().id);
  EXPECT_EQ(stored.state, "running");
  EXPECT_EQ(stored.seed, 1u);
  EXPECT_EQ(stored.command, "helixcheck fuzz");
  EXPECT_NE(stored.started, "");
  EXPECT_EQ(stored.ended, "");
  EXPECT_FALSE(books.unsaved());
}

TEST_F(BookKeeping, WhatEndedBeforeItsTimeGoesOn) {
  for (const char* end : {"", "interrupted"}) {
    fs::remove(file_);
    {
      Store store(file_);
      Books books = open(store);
      books.set_next_case(700);
      books.checkpoint();
      if (*end != '\0') books.close(end, 1);
    }
    Store store(file_);
    CampaignRecord now = plan();
    now.command = "helixcheck fuzz --jobs 8";
    now.jobs = 8;
    now.budget_seconds = 60;
    now.budget_cases = 1000;
    now.commit = "ffffffffffff";
    now.host = "node7";
    now.machine = "8 cores";
    const Books books = open(store, now);
    EXPECT_TRUE(books.resumed()) << end;
    const CampaignRecord stored = store.last_campaign().value();
    EXPECT_EQ(stored.id, 1);
    EXPECT_EQ(stored.next_case, 700u);
    EXPECT_EQ(stored.state, "running");
    EXPECT_EQ(stored.ended, "");
    EXPECT_EQ(stored.seed, 1u);
    EXPECT_EQ(stored.command, now.command);
    EXPECT_EQ(stored.jobs, 8);
    EXPECT_EQ(stored.budget_seconds, 60);
    EXPECT_EQ(stored.budget_cases, 1000u);
    EXPECT_EQ(stored.commit, now.commit);
    EXPECT_EQ(stored.host, "node7");
    EXPECT_EQ(stored.machine, "8 cores");
  }
}

TEST_F(BookKeeping, AnotherSearchIsAnotherCampaign) {
  Store store(file_);
  std::int64_t last = 0;
  const auto begins = [&](const char* what, const std::function<void(CampaignRecord&)>& change,
                          bool fresh = false) {
    CampaignRecord planned = plan();
    open(store, planned, true);
    change(planned);
    const Books books = open(store, planned, fresh);
    EXPECT_FALSE(books.resumed()) << what;
    EXPECT_GT(books.campaign().id, last) << what;
    last = books.campaign().id;
  };
  begins("subject", [](CampaignRecord& c) { c.subject = "cpu_p16"; });
  begins("contract", [](CampaignRecord& c) { c.contract = "bf16"; });
  begins("world", [](CampaignRecord& c) { c.world = "mpi"; });
  begins("properties", [](CampaignRecord& c) { c.properties = {"ranks"}; });
  begins("guided", [](CampaignRecord& c) { c.guided = false; });
  begins("seed", [](CampaignRecord& c) { c.seed = 4711; });
  begins(
      "fresh", [](CampaignRecord&) {}, true);
}

TEST_F(BookKeeping, AFinishedOneIsFinished) {
  Store store(file_);
  {
    Books books = open(store);
    books.close("finished", 12.5);
  }
  const CampaignRecord stored = store.last_campaign().value();
  EXPECT_EQ(stored.state, "finished");
  EXPECT_NE(stored.ended, "");
  EXPECT_EQ(stored.totals.seconds, 12.5) << "not the time that triage took after the search";
  const Books next = open(store);
  EXPECT_FALSE(next.resumed());
  EXPECT_EQ(next.campaign().seed, 2u) << "each night has a series of its own";
  CampaignRecord chosen = plan();
  chosen.seed = 2;
  EXPECT_TRUE(open(store, chosen).resumed()) << "the same seed, asked for";
}

TEST_F(BookKeeping, AddUpWhatWorkersRan) {
  Store store(file_);
  Books books = open(store);
  Answer ran = answer(0, 30);
  ran.too_long = 2;
  ran.statistics.add_unjudged();
  books.add(ran);
  books.add(answer(30, 20));
  books.count_restart();
  books.set_findings(3);
  books.checkpoint();
  for (const Totals& totals : {books.totals(), store.last_campaign()->totals}) {
    EXPECT_EQ(totals.cases, 50u);
    EXPECT_EQ(totals.unjudged, 3u);
    EXPECT_EQ(totals.subject_runs, 100u);
    EXPECT_EQ(totals.busy_seconds, 1.0);
    EXPECT_EQ(totals.worst_ratio, 1);
    EXPECT_EQ(totals.restarts, 1u);
    EXPECT_EQ(totals.findings, 3u);
    EXPECT_EQ(totals.interesting, 10u);
    EXPECT_EQ(totals.pairs, books.statistics().pairs_drawn());
    EXPECT_GT(totals.tuples, 10'000u);
    EXPECT_GT(totals.behaviours, 0u);
  }
  ASSERT_EQ(store.progress(1).size(), 1u);
  EXPECT_EQ(store.progress(1)[0].totals.cases, 50u);
  EXPECT_EQ(store.interesting(1).size(), 10u);
  EXPECT_EQ(store.interesting(1)[1].index, 5u);
}

// Killed after a checkpoint: what it had counted is put back, and goes on growing.
TEST_F(BookKeeping, AResumedCampaignCountsOn) {
  Totals before;
  Statistics statistics;
  std::vector<Discovery> discoveries;
  {
    Store store(file_);
    Books books = open(store);
    books.add(answer(0, 60));
    books.checkpoint();
    before = books.totals();
    statistics = books.statistics();
    discoveries = books.discoveries();
  }
  Store store(file_);
  Books books = open(store);
  ASSERT_TRUE(books.resumed());
  EXPECT_EQ(books.totals(), before);
  EXPECT_GE(books.seconds(), before.seconds);
  EXPECT_EQ(books.statistics().pairs_drawn(), statistics.pairs_drawn());
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      ASSERT_EQ(books.statistics().drawn(a, b), statistics.drawn(a, b));
    }
  }
  EXPECT_EQ(books.statistics().worst_ratios(), statistics.worst_ratios());
  for (int log2 = Statistics::kLowestLog2; log2 <= Statistics::kHighestLog2; ++log2) {
    EXPECT_EQ(books.statistics().cases_with_ratio(Tap::lse, log2),
              statistics.cases_with_ratio(Tap::lse, log2));
  }
  ASSERT_EQ(books.discoveries().size(), 12u);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(books.discoveries()[i].genome, discoveries[i].genome) << i;
    EXPECT_EQ(books.discoveries()[i].reason, "lse 2^-1");
  }
  books.checkpoint();
  const Totals after = books.totals();
  EXPECT_EQ(after.cases, before.cases);
  EXPECT_EQ(after.pairs, before.pairs);
  EXPECT_EQ(after.interesting, before.interesting);
  EXPECT_GE(after.tuples, before.tuples);
  EXPECT_GE(after.behaviours, before.behaviours) << "counts only grow";
  books.add(answer(60, 10));
  books.checkpoint();
  EXPECT_EQ(books.totals().cases, 70u);
  EXPECT_EQ(store.taps(1).size(), 2u);
  EXPECT_EQ(store.interesting(1).size(), 14u);
}

TEST_F(BookKeeping, OfPassingCasesAFewAreKept) {
  Store store(file_);
  Books books = open(store);
  for (int i = 0; i < 6; ++i) {
    Answer ran = answer(0, 1);
    CaseRecord& record = ran.sampled.emplace_back();
    record.index = static_cast<std::uint64_t>(i);
    record.status = i % 2 == 0 ? "passed" : "failed";
    books.add(ran);
  }
  books.checkpoint();
  std::size_t failed = 0;
  const std::vector<CaseRecord> cases = store.cases(1);
  for (const CaseRecord& record : cases) {
    EXPECT_EQ(record.campaign, 1);
    failed += record.status == "failed";
  }
  EXPECT_EQ(failed, 3u);
  EXPECT_GE(cases.size(), 4u);
  EXPECT_EQ(cases[0].index, 0u) << "the first passing one";
}

// Of a subject that mostly fails, there would be millions.
TEST_F(BookKeeping, OfFailingCasesNotAllAreKept) {
  Store store(file_);
  Books books = open(store);
  Answer ran = answer(0, 1);
  ran.sampled.assign(10'500, CaseRecord{});
  for (CaseRecord& record : ran.sampled) record.status = "failed";
  books.add(ran);
  books.checkpoint();
  EXPECT_GE(store.cases(1).size(), 10'000u);
  EXPECT_LE(store.cases(1).size(), 10'010u);
}

TEST_F(BookKeeping, FindingsAreStoredAtOnce) {
  Store store(file_);
  Books books = open(store);
  books.add_event("first");
  EXPECT_TRUE(store.events(1).empty());
  books.save(finding(books, "attend"));
  EXPECT_EQ(store.finding("equivalence/cpu/value/attend")->count, 1u);
  EXPECT_EQ(store.events(1).size(), 1u) << "with what came before";
  books.count("equivalence/cpu/value/attend", 5);
  books.save(finding(books, "plan"));
  EXPECT_EQ(store.finding("equivalence/cpu/value/attend")->count, 6u);
  books.remove_finding("equivalence/cpu/value/plan");
  EXPECT_EQ(store.findings().size(), 1u);
  EXPECT_EQ(said_, std::vector<std::string>{"first"});
}

void demand(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

void limit_files_to(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
}

// As of a full disk that somebody makes room on an hour later.
TEST_F(BookKeeping, WhatCannotBeStoredIsStoredLater) {
  Child child([this](const Child::Say&) {
    signal(SIGXFSZ, SIG_IGN);
    Store store(file_);
    Books books = open(store);
    limit_files_to(300'000);
    const std::string large(20'000, 'x');
    FindingRecord found = finding(books, "attend");
    found.output = large;
    std::size_t events = 0;
    while (!books.unsaved()) {
      books.add_event(large + std::to_string(events++));
      books.save(found);
      demand(events < 100, "it is never full");
    }
    for (int i = 0; i < 3; ++i) {
      books.add_event(std::to_string(events++));
      books.count(found.signature, 1);
      books.checkpoint();
      demand(books.unsaved(), "nothing was written");
    }
    const std::size_t stored = store.events(1).size();
    demand(stored < events, "all or nothing of what waits");
    limit_files_to(RLIM_INFINITY);
    books.checkpoint();
    demand(!books.unsaved(), "it can be written again");
    const std::vector<EventRecord> all = store.events(1);
    demand(all.size() == events, "each event once");
    for (std::size_t i = 0; i < events; ++i) {
      demand(all[i].text.ends_with(std::to_string(i)), "in order");
    }
    demand(store.finding(found.signature)->count == 4, "counted once each");
    std::size_t told = 0, again = 0;
    for (const std::string& text : said_) {
      told += text.ends_with("; it is tried again until it works");
      again += text == file_.string() + ": can be written again";
    }
    demand(told == 1 && again == 1, "each is said once");
  });
  EXPECT_EQ(child.wait(), 0);
}

// There are many counts; totals without what they are made of would be a lie.
TEST_F(BookKeeping, TotalsAreNotStoredWithoutTheirCounts) {
  Child child([this](const Child::Say&) {
    signal(SIGXFSZ, SIG_IGN);
    Store store(file_, JournalMode::write_ahead);
    Books books = open(store);
    books.checkpoint();
    books.add(answer(1, 4));
    const auto so_far = fs::file_size(file_.string() + "-wal");
    Answer many = answer(1, 4);
    for (int i = 0; i < 100; ++i) many.statistics.merge(answer(200 + 7 * i, 5).statistics);
    books.add(many);
    limit_files_to(so_far + 60'000);
    books.close("interrupted", 1);
    demand(books.unsaved(), "the counts are missing");
    demand(store.last_campaign()->state == "running", "all or nothing");
    demand(store.pairs(1).empty(), "all or nothing of the counts");
    limit_files_to(RLIM_INFINITY);
    books.checkpoint();
    demand(!books.unsaved(), "they are stored later");
    demand(store.last_campaign()->state == "interrupted", "with the rest");
    std::size_t pairs = 0;
    for (const PairRecord& pair : store.pairs(1)) pairs += pair.a != pair.b;
    demand(pairs == books.statistics().pairs_drawn(), "all pairs");
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace helixcheck
