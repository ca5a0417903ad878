// Orders and answers come back as they were sent, in every field and with any value.

#include "fuzz/wire.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "generate/scenario_draw.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kMost = ~std::uint64_t{0};

// What a subject prints or a person types.
const std::string kOddText("a\0b\xff \"\n", 8);

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

Genome odd_genome() {
  std::vector<std::uint8_t> bytes(genome_bytes());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + 255);
  return genome_of(bytes);
}

Discovery sample_discovery() {
  Discovery discovery;
  discovery.genome = odd_genome();
  discovery.reason = "lse 2^-1";
  for (const double ratio : {0.5, kInfinity, kNaN, -0.0, 5e-324}) {
    TapResult& tap = discovery.taps.emplace_back();
    tap.tap = static_cast<Tap>(discovery.taps.size() * 3 % kTapCount);
    tap.worst_ratio = ratio;
  }
  return discovery;
}

void expect_same(const Discovery& a, const Discovery& b) {
  EXPECT_EQ(a.genome, b.genome);
  EXPECT_EQ(a.reason, b.reason);
  ASSERT_EQ(a.taps.size(), b.taps.size());
  for (std::size_t i = 0; i < a.taps.size(); ++i) {
    EXPECT_EQ(a.taps[i].tap, b.taps[i].tap);
    EXPECT_TRUE(same(a.taps[i].worst_ratio, b.taps[i].worst_ratio)) << i;
  }
}

Failure sample_failure() {
  Failure failure;
  failure.kind = "relation";
  failure.blame.stage = Stage::exchange;
  failure.blame.tap = Tap::combined;
  failure.blame.place = {1, 2, 3, 4, 5, std::numeric_limits<std::int64_t>::max()};
  failure.blame.sentence = kOddText;
  failure.varied = draw_scenario(3, 11);
  return failure;
}

void expect_same(const Failure& a, const Failure& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.varied, b.varied);
  EXPECT_EQ(a.blame.stage, b.blame.stage);
  EXPECT_EQ(a.blame.tap, b.blame.tap);
  EXPECT_EQ(a.blame.sentence, b.blame.sentence);
  const Place &p = a.blame.place, &q = b.blame.place;
  EXPECT_EQ(std::tie(p.step, p.request, p.row, p.head, p.rank, p.element),
            std::tie(q.step, q.request, q.row, q.head, q.rank, q.element));
}

Order back(const Order& order) {
  return unpack_order_of_supervisor(pack(order));
}

Answer back(const Answer& answer) {
  return unpack_answer_of_worker(pack(answer));
}

Order sample_lease() {
  Order order;
  order.kind = Order::Kind::lease;
  order.first = kMost - 1;
  order.count = kMost;
  order.seconds = 1e-300;
  order.learn = {sample_discovery(), Discovery{}};
  return order;
}

TEST(Wire, LeasesComeBack) {
  const Order sent = sample_lease(), got = back(sent);
  EXPECT_EQ(got.kind, Order::Kind::lease);
  EXPECT_EQ(got.first, sent.first);
  EXPECT_EQ(got.count, sent.count);
  EXPECT_EQ(got.seconds, sent.seconds);
  ASSERT_EQ(got.learn.size(), 2u);
  expect_same(got.learn[0], sent.learn[0]);
  EXPECT_EQ(to_bytes(got.learn[1].genome), std::vector<std::uint8_t>(genome_bytes(), 0));
  EXPECT_TRUE(got.learn[1].taps.empty());
  EXPECT_TRUE(back(Order{}).learn.empty());
}

TEST(Wire, GivenCasesComeBackInOrder) {
  Order sent;
  sent.kind = Order::Kind::given;
  EXPECT_TRUE(back(sent).cases.empty());
  for (std::uint64_t i = 0; i < 60; ++i) {
    sent.cases.push_back({draw_scenario(5, i), i % 2 == 0 ? "" : "ranks"});
  }
  const Order got = back(sent);
  EXPECT_EQ(got.kind, Order::Kind::given);
  ASSERT_EQ(got.cases.size(), sent.cases.size());
  for (std::size_t i = 0; i < got.cases.size(); ++i) {
    EXPECT_EQ(got.cases[i].scenario, sent.cases[i].scenario) << i;
    EXPECT_EQ(got.cases[i].property, sent.cases[i].property);
  }
}

TEST(Wire, WhatIsToBeObservedComesBack) {
  Order sent;
  sent.kind = Order::Kind::observe;
  sent.scenario = draw_scenario(5, 300);
  sent.property = "page_order";
  sent.kind_wanted = "leak";
  for (const bool repeat : {true, false}) {
    sent.repeat = repeat;
    const Order got = back(sent);
    EXPECT_EQ(got.kind, Order::Kind::observe);
    EXPECT_EQ(got.scenario, sent.scenario);
    EXPECT_EQ(got.property, "page_order");
    EXPECT_EQ(got.kind_wanted, "leak");
    EXPECT_EQ(got.repeat, repeat);
  }
}

TEST(Wire, ReadyNamesTheSubject) {
  Answer sent;
  sent.subject = "cpu+my/kernel";
  const Answer got = back(sent);
  EXPECT_EQ(got.kind, Answer::Kind::ready);
  EXPECT_EQ(got.subject, sent.subject);
}

TEST(Wire, ObservationsComeBack) {
  Answer sent;
  sent.kind = Answer::Kind::observed;
  EXPECT_FALSE(back(sent).observation.has_value());
  sent.error = "nobody can say";
  EXPECT_EQ(back(sent).error, sent.error);
  sent.error.clear();
  sent.observation = Observation{sample_failure(), {"ranks", "cpu", "relation", ""}};
  Answer got = back(sent);
  EXPECT_EQ(got.kind, Answer::Kind::observed);
  EXPECT_EQ(got.error, "");
  ASSERT_TRUE(got.observation.has_value());
  expect_same(got.observation->failure, sent.observation->failure);
  EXPECT_EQ(got.observation->signature, sent.observation->signature);
  sent.observation->failure = Failure{};
  got = back(sent);
  ASSERT_TRUE(got.observation.has_value());
  expect_same(got.observation->failure, Failure{});
}

Answer sample_ran() {
  Answer sent;
  sent.kind = Answer::Kind::ran;
  sent.done = kMost;
  sent.busy_seconds = 0.125;
  sent.too_long = 3;
  sent.worn = "its device was lost";
  sent.observations = "{}\n{\"a\": 1}\n";
  PropertyResult result;
  result.subject_runs = 7;
  result.taps = sample_discovery().taps;
  sent.statistics.add(ScenarioSeries(1).draw(5), "ranks", result, 0.5);
  sent.statistics.add_unjudged();
  FailedRun& failed = sent.failed.emplace_back();
  failed.index = kMost;
  failed.origin = "crossover";
  failed.scenario = draw_scenario(5, 17);
  failed.property = "ranks";
  failed.failure = sample_failure();
  failed.signature = {"ranks", "cpu+my/kernel", "relation", "attend"};
  failed.before = {draw_scenario(5, 15), draw_scenario(5, 16)};
  sent.failed.emplace_back();
  sent.kept.push_back({sample_discovery(), kMost, "page_order", kOddText});
  sent.kept.emplace_back();
  CaseRecord& record = sent.sampled.emplace_back();
  record.index = 41;
  record.time = "2026-11-22T20:15:03Z";
  record.property = "ranks";
  record.status = "failed";
  record.origin = "mutation";
  record.tap = "lse";
  record.ratio = kInfinity;
  record.seconds = 1e9;
  record.scenario = "{\"schema\": 1}";
  sent.sampled.emplace_back().ratio = kNaN;
  return sent;
}

TEST(Wire, CountsOfALeaseComeBack) {
  const Answer sent = sample_ran(), got = back(sent);
  EXPECT_EQ(got.kind, Answer::Kind::ran);
  EXPECT_EQ(got.done, kMost);
  EXPECT_EQ(got.busy_seconds, 0.125);
  EXPECT_EQ(got.too_long, 3u);
  EXPECT_EQ(got.worn, "its device was lost");
  EXPECT_EQ(got.observations, sent.observations);
  EXPECT_EQ(got.statistics.cases(), 1u);
  EXPECT_EQ(got.statistics.unjudged(), 1u);
  EXPECT_EQ(got.statistics.subject_runs(), 7u);
  EXPECT_EQ(got.statistics.pairs_drawn(), sent.statistics.pairs_drawn());
  EXPECT_GT(got.statistics.pairs_drawn(), 100u);
}

TEST(Wire, WhatALeaseFoundComesBack) {
  const Answer sent = sample_ran(), got = back(sent);
  ASSERT_EQ(got.failed.size(), 2u);
  EXPECT_EQ(got.failed[0].index, kMost);
  EXPECT_EQ(got.failed[0].origin, "crossover");
  EXPECT_EQ(got.failed[0].scenario, sent.failed[0].scenario);
  EXPECT_EQ(got.failed[0].property, "ranks");
  EXPECT_EQ(got.failed[0].signature, sent.failed[0].signature);
  EXPECT_EQ(got.failed[0].before, sent.failed[0].before);
  expect_same(got.failed[0].failure, sent.failed[0].failure);
  EXPECT_TRUE(got.failed[1].before.empty());
  EXPECT_EQ(got.failed[1].signature, Signature{});
  ASSERT_EQ(got.kept.size(), 2u);
  expect_same(got.kept[0].discovery, sent.kept[0].discovery);
  EXPECT_EQ(got.kept[0].index, kMost);
  EXPECT_EQ(got.kept[0].property, "page_order");
  EXPECT_EQ(got.kept[0].scenario, kOddText);
  ASSERT_EQ(got.sampled.size(), 2u);
  EXPECT_EQ(got.sampled[0], sent.sampled[0]);
  EXPECT_TRUE(std::isnan(got.sampled[1].ratio));
  const Answer nothing = [] {
    Answer answer;
    answer.kind = Answer::Kind::ran;
    return back(answer);
  }();
  EXPECT_TRUE(nothing.failed.empty() && nothing.kept.empty() && nothing.sampled.empty());
  EXPECT_EQ(nothing.worn, "");
}

TEST(Wire, WhatIsCutOffIsAnError) {
  Order given, observe;
  given.kind = Order::Kind::given;
  given.cases = {{draw_scenario(5, 1), "ranks"}};
  observe.kind = Order::Kind::observe;
  for (const Order& order : {sample_lease(), given, observe}) {
    const std::string whole = pack(order);
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 50) {
      EXPECT_THROW(unpack_order_of_supervisor(whole.substr(0, size)), ResourceError) << size;
    }
    EXPECT_THROW(unpack_order_of_supervisor(whole.substr(0, whole.size() - 1)), ResourceError);
  }
  Answer observed;
  observed.kind = Answer::Kind::observed;
  observed.observation = Observation{sample_failure(), {}};
  for (const Answer& answer : {sample_ran(), observed, Answer{}}) {
    const std::string whole = pack(answer);
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 50) {
      EXPECT_THROW(unpack_answer_of_worker(whole.substr(0, size)), ResourceError) << size;
    }
    EXPECT_THROW(unpack_answer_of_worker(whole.substr(0, whole.size() - 1)), ResourceError);
  }
}

}  // namespace
}  // namespace helixcheck
