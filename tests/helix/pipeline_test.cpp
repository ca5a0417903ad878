// What the pipeline shows, independent of any verdict: which taps, when, and that neither layout
// nor world moves a bit of them.

#include "helix/pipeline.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "generate/case.hpp"
#include "mla/formats.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// Keeps the bits of every tap of every step.
class Recording : public Observer {
 public:
  void on_prompt(const PromptTaps& taps) override {
    for (const PromptTaps::RankRows& rank : taps.ranks) prompt_rows += std::ssize(rank.index);
  }
  void on_event(const Step& step, const History&) override { events.push_back(step.kind); }
  void on_step(const StepTaps& taps) override {
    std::map<Tap, std::vector<std::string>> bits;
    for (int i = 0; i < kTapCount; ++i) {
      for (const RankTaps& rank : taps.ranks) {
        const TapView& view = rank[static_cast<std::size_t>(i)];
        if (!view.present) continue;
        const std::size_t item = view.integers ? 8 : size_of(view.dtype);
        bits[static_cast<Tap>(i)].emplace_back(reinterpret_cast<const char*>(view.data),
                                               static_cast<std::size_t>(view.elements()) * item);
      }
    }
    steps.push_back(std::move(bits));
  }
  std::vector<std::map<Tap, std::vector<std::string>>> steps;
  std::vector<StepKind> events;
  std::int64_t prompt_rows = 0;
};

Scenario small(Entry entry) {
  Scenario s;
  s.problem.entry = entry;
  s.problem.hidden_size = 48;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 16;
  s.problem.qk_nope_head_dim = 8;
  s.problem.qk_rope_head_dim = 4;
  s.problem.v_head_dim = 12;
  s.problem.ctx_len = {11, 0, 5};
  s.problem.decode_steps = 2;
  s.layout.kv_cache_tokens_per_block = 4;
  return s;
}

Recording record(const Scenario& scenario) {
  validate(scenario);
  const std::unique_ptr<Inputs> inputs = make_case(scenario);
  const std::unique_ptr<World> world =
      make_sim_world(static_cast<int>(scenario.layout.kvp), static_cast<int>(scenario.layout.tpa));
  const std::unique_ptr<Subject> subject = find_subject("cpu");
  Recording recording;
  Pipeline(*inputs, *world, *subject).run(recording);
  return recording;
}

TEST(Pipeline, ShowsEveryTapOfALayer) {
  const Recording r = record(small(Entry::layer));
  ASSERT_EQ(r.steps.size(), 2u);
  EXPECT_EQ(r.prompt_rows, 16);
  EXPECT_EQ(r.events, (std::vector<StepKind>{StepKind::join}));
  for (const Tap tap : {Tap::position, Tap::q_nope, Tap::q, Tap::kv_c, Tap::latent, Tap::cache_rows,
                        Tap::cache_spare, Tap::partial_o, Tap::lse, Tap::exchanged, Tap::combined,
                        Tap::combined_lse, Tap::v_up, Tap::o_partial, Tap::output}) {
    EXPECT_EQ(r.steps[1].at(tap).size(), 2u) << name_of(tap);
  }
  EXPECT_EQ(r.steps[0].count(Tap::q_a), 0u) << "no q_lora, no q_a";
}

TEST(Pipeline, CoreEndsWithCombine) {
  const Recording r = record(small(Entry::core));
  ASSERT_EQ(r.steps.size(), 2u);
  EXPECT_EQ(r.steps[0].count(Tap::output), 0u);
  EXPECT_EQ(r.steps[0].count(Tap::q_nope), 0u);
  EXPECT_EQ(r.steps[0].at(Tap::combined).size(), 2u);
  EXPECT_EQ(r.prompt_rows, 0);
}

TEST(Pipeline, ObservingTheEndAloneChangesNoBit) {
  for (const Entry entry : {Entry::layer, Entry::core}) {
    Scenario s = small(entry);
    const Recording all = record(s);
    s.run.observe = Observe::end;
    const Recording end = record(s);
    const Tap result = entry == Entry::layer ? Tap::output : Tap::combined;
    for (std::size_t i = 0; i < all.steps.size(); ++i) {
      EXPECT_EQ(all.steps[i].at(result), end.steps[i].at(result));
      EXPECT_EQ(end.steps[i].count(Tap::lse), 0u);
    }
  }
}

TEST(Pipeline, LayoutOfMemoryChangesNoBit) {
  const Recording plain = record(small(Entry::layer));
  Scenario s = small(Entry::layer);
  s.layout.page_order = PageOrder::descending;
  s.layout.kv_cache_tokens_per_block = 3;
  s.layout.row_gap = 5;
  s.layout.page_gap = 2;
  s.layout.page_id_base = 1000;
  s.layout.spare_pages = 4;
  s.layout.poison = Poison::huge;
  const Recording moved = record(s);
  for (const Tap tap : {Tap::cache_rows, Tap::partial_o, Tap::lse, Tap::combined, Tap::output}) {
    EXPECT_EQ(plain.steps[1].at(tap), moved.steps[1].at(tap)) << name_of(tap);
  }
}

TEST(Pipeline, EveryRankEndsWithTheSameOutput) {
  Scenario s = small(Entry::layer);
  s.layout.tpa = 2;
  const Recording r = record(s);
  const std::vector<std::string>& output = r.steps[1].at(Tap::output);
  ASSERT_EQ(output.size(), 4u);
  for (const std::string& rank : output) EXPECT_EQ(rank, output[0]);
}

TEST(Pipeline, ForkContinuesItsParentsHistory) {
  Scenario s = small(Entry::core);
  s.problem.ctx_len = {6};
  s.problem.decode_steps = 1;
  s.script = {Step{StepKind::join, {0}, {}},    Step{StepKind::decode, {0}, {2}},
              Step{StepKind::fork, {0}, {}},    Step{StepKind::decode, {0, 1}, {1, 2}},
              Step{StepKind::reject, {1}, {1}}, Step{StepKind::finish, {0}, {}},
              Step{StepKind::decode, {1}, {3}}};
  const Recording r = record(s);
  ASSERT_EQ(r.steps.size(), 3u);
  EXPECT_EQ(r.events, (std::vector<StepKind>{StepKind::join, StepKind::fork, StepKind::reject,
                                             StepKind::finish}));
  // The fork's first eight rows are its parent's.
  const std::size_t row_bytes = 20 * 2;
  const std::string& last = r.steps[2].at(Tap::cache_rows)[1];  // rank 1 holds all generated keys
  const std::string& first = r.steps[0].at(Tap::cache_rows)[1];
  ASSERT_GE(last.size(), first.size());
  EXPECT_EQ(last.substr(0, 5 * row_bytes), first.substr(0, 5 * row_bytes));
}

}  // namespace
}  // namespace helixcheck
