// Guidance against unguided search on small made-up tasks, and what it promises: the same proposals
// from the same history.

#include "fuzz/guidance.hpp"

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"
#include "generate/covering.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

std::vector<TapResult> lse(double ratio) {
  TapResult result;
  result.tap = Tap::lse;
  result.worst_ratio = ratio;
  return {result};
}

double nothing(const Scenario&) {
  return 0.05;
}

std::string levels(const DrawnScenario& drawn) {
  return {drawn.selection.begin(), drawn.selection.end()};
}

using Ratio = double (*)(const Scenario&);

// Calls visit(proposal) for the first cases, each of which shows the ratio of its scenario.
template <typename Visit>
void search(Guidance& guidance, std::uint64_t cases, Ratio ratio, Visit&& visit) {
  for (std::uint64_t i = 0; i < cases; ++i) {
    const Proposal proposal = guidance.propose(i);
    visit(proposal);
    guidance.learn(proposal, lse(ratio(proposal.drawn.scenario)));
  }
}

TEST(Guidance, BeginsWithEveryPossiblePair) {
  Guidance guidance(3);
  const std::vector<Selection> covering = covering_array(3);
  search(guidance, covering.size(), nothing, [&, row = std::size_t{0}](const Proposal& p) mutable {
    EXPECT_EQ(levels_of(p.genome), covering[row++]);
    EXPECT_EQ(p.origin, "series");
  });
}

TEST(Guidance, ProposesValidScenariosOfAllOrigins) {
  Guidance guidance(1);
  std::map<std::string_view, double> seconds;
  double all = 0;
  const auto ratio = [](const Scenario& s) { return 0.01 * static_cast<double>(s.layout.kvp); };
  search(guidance, 4000, ratio, [&](const Proposal& p) {
    seconds[p.origin] += forecast_seconds(p.drawn.scenario);
    all += forecast_seconds(p.drawn.scenario);
    EXPECT_FALSE(find_error(p.drawn.scenario));
    EXPECT_EQ(decode(p.genome).scenario, p.drawn.scenario);
  });
  const double children = seconds["mutation"] + seconds["crossover"];
  EXPECT_GT(seconds["series"] / all, 0.35);
  EXPECT_LT(seconds["series"] / all, 0.65);
  EXPECT_GT(seconds["novelty"] / all, 0.2);
  EXPECT_GT(children / all, 0.1);
  EXPECT_LT(children / all, 0.45);
  EXPECT_EQ(seconds.size(), 4u);
}

TEST(Guidance, IsAFunctionOfSeedIndexAndHistory) {
  Guidance a(7), b(7), other(8);
  std::set<std::string> same_as_other;
  const auto ratio = [](const Scenario& s) { return 1e-3 * static_cast<double>(s.layout.kvp); };
  search(a, 500, ratio, [&, i = std::uint64_t{0}](const Proposal& p) mutable {
    EXPECT_EQ(p.genome, a.propose(i).genome) << "asked twice";
    const Proposal again = b.propose(i);
    EXPECT_EQ(p.genome, again.genome);
    EXPECT_EQ(p.drawn.scenario, again.drawn.scenario);
    EXPECT_EQ(p.origin, again.origin);
    b.learn(again, lse(ratio(again.drawn.scenario)));
    if (p.genome == other.propose(i).genome) same_as_other.insert(levels(p.drawn));
    ++i;
  });
  EXPECT_TRUE(same_as_other.empty());
  EXPECT_EQ(a.totals().tuples, b.totals().tuples);
  EXPECT_EQ(a.totals().kept, b.totals().kept);
}

// Of some features that code looks at together, how many triples of levels were met.
class SubSpace {
 public:
  SubSpace() {
    choose_features();
    count_all();
  }
  void choose_features() {
    for (std::size_t f = 0; f < features().size(); ++f) {
      for (const std::string_view name : {"kv_format", "rope_scaling", "softmax_scale", "gaps",
                                          "lse_form", "lse_gap", "heavy", "equal_requests"}) {
        if (features()[f].name == name) features_.push_back(f);
      }
    }
  }
  template <typename Visit>
  void for_each_three(Visit&& visit) const {
    for (std::size_t h = 2; h < features_.size(); ++h) {
      for (std::size_t g = 1; g < h; ++g) {
        for (std::size_t f = 0; f < g; ++f) visit(features_[f], features_[g], features_[h]);
      }
    }
  }
  void count_all() {
    const Compatibility& known = Compatibility::get();
    const auto end = [](std::size_t f) { return first_level(f) + features()[f].levels.size(); };
    for_each_three([&](std::size_t f, std::size_t g, std::size_t h) {
      for (std::size_t a = first_level(f); a < end(f); ++a) {
        for (std::size_t b = first_level(g); b < end(g); ++b) {
          for (std::size_t c = first_level(h); c < end(h); ++c) {
            LevelSet others = known.with(a) & known.with(b) & known.with(c);
            const bool at_an_entry = others[0] || others[1] || others[2];
            all_ += at_an_entry && known.together(a, b) && known.with(c)[a] && known.with(c)[b];
          }
        }
      }
    });
  }
  void add(const Selection& selection) {
    const auto level = [&](std::size_t f) { return first_level(f) + selection[f]; };
    for_each_three([&](std::size_t f, std::size_t g, std::size_t h) {
      met_.insert({level(f), level(g), level(h)});
    });
  }
  std::size_t all() const { return all_; }
  std::size_t met() const { return met_.size(); }

 private:
  std::vector<std::size_t> features_;
  std::size_t all_ = 0;  // that can meet
  std::set<std::array<std::size_t, 3>> met_;
};

TEST(Guidance, MeetsTriplesSoonerThanTheSeriesInNoMoreTime) {
  const ScenarioSeries series(5);
  Guidance guidance(5);
  SubSpace guided, unguided;
  double guided_s = 0, unguided_s = 0;
  constexpr std::uint64_t kCases = 1500;
  search(guidance, kCases, nothing, [&](const Proposal& p) {
    guided.add(p.drawn.selection);
    guided_s += forecast_seconds(p.drawn.scenario);
  });
  for (std::uint64_t i = 0; i < kCases; ++i) {
    const DrawnScenario drawn = series.draw(i);
    unguided.add(drawn.selection);
    unguided_s += forecast_seconds(drawn.scenario);
  }
  const std::size_t all = guided.all();
  EXPECT_LT(10 * (all - guided.met()), 6 * (all - unguided.met()))
      << guided.met() << " triples guided, " << unguided.met() << " unguided, of " << all;
  EXPECT_LT(guided_s, 1.2 * unguided_s);
}

// An error that grows along four fields, and is large only where all are.
double along_four_fields(const Scenario& s) {
  const Problem& p = s.problem;
  if (p.entry == Entry::merge) return 0;
  return 0.9 * static_cast<double>(s.layout.kvp) / 16 * p.data.logit_gain / 100 *
         static_cast<double>(p.kv_lora_rank) / 96 * static_cast<double>(s.layout.padding_rows) / 8;
}

TEST(Guidance, ClimbsHigherThanTheSeries) {
  constexpr std::uint64_t kCases = 3000;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const ScenarioSeries series(seed);
    Guidance guidance(seed);
    double guided = 0, unguided = 0;
    search(guidance, kCases, along_four_fields, [&](const Proposal& p) {
      guided = std::max(guided, along_four_fields(p.drawn.scenario));
    });
    for (std::uint64_t i = 0; i < kCases; ++i) {
      unguided = std::max(unguided, along_four_fields(series.draw(i).scenario));
    }
    EXPECT_GT(guided, 1.5 * unguided) << "seed " << seed;
  }
}

TEST(Guidance, GoesOnFromWhatOthersFound) {
  Guidance guidance(1);
  Discovery discovery;
  discovery.genome = genome_of({});
  Lane& kvp = discovery.genome.lanes[1];
  kvp.level = 4;  // 5 to 7
  discovery.taps = lse(0.6);
  const auto like_it = [&](const Proposal& p) {
    return p.parent && decode(p.genome).selection[1] == 4;
  };
  const std::uint64_t first = covering_array(1).size();
  int before = 0, after = 0;
  for (std::uint64_t i = first; i < first + 400; ++i) before += like_it(guidance.propose(i));
  guidance.learn(discovery);
  for (std::uint64_t i = first; i < first + 400; ++i) after += like_it(guidance.propose(i));
  EXPECT_EQ(before, 0);
  EXPECT_GT(after, 30);
  EXPECT_EQ(guidance.totals().behaviours, 1u);
  EXPECT_GT(guidance.totals().tuples, 0u);
}

TEST(Guidance, KeepsWhatIsNewAndSaysWhy) {
  Guidance guidance(2);
  const Proposal first = guidance.propose(0);
  const std::optional<Discovery> kept = guidance.learn(first, lse(0.3));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->reason, "lse 2^-2");
  EXPECT_EQ(kept->genome, first.genome);
  ASSERT_EQ(kept->taps.size(), 1u);
  EXPECT_FALSE(guidance.learn(first, lse(0.3)));
  const std::optional<Discovery> triples = guidance.learn(guidance.propose(1), {});
  ASSERT_TRUE(triples);
  EXPECT_TRUE(triples->reason.ends_with(" new triples")) << triples->reason;
  EXPECT_EQ(guidance.totals().kept, 2u);
  EXPECT_EQ(guidance.totals().behaviours, 1u);
}

// Only so many cases are worth a place in a store.
TEST(Guidance, KeepsFewOfManyCases) {
  Guidance guidance(4);
  std::uint64_t kept = 0;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    const Proposal p = guidance.propose(i);
    kept += guidance.learn(p, lse(0.1)).has_value() ? 1 : 0;
  }
  EXPECT_LT(kept, 400u);
  EXPECT_EQ(guidance.totals().kept, kept);
}

}  // namespace
}  // namespace helixcheck
