// Rows that were handed over but never read back follow the history too.

#include "verdict/cache_mirror.hpp"

#include <gtest/gtest.h>

#include "tiny_run.hpp"

namespace helixcheck {
namespace {

// Two ranks that take turns; pushes one row for each generated token on its owner.
class Mirrored {
 public:
  explicit Mirrored(Prompt prompt) : scenario_(make(prompt)), geometry_(scenario_) {}

  void apply(const Step& step) {
    const std::vector<Row> rows = history_.apply(step);
    for (const Row& row : rows) push(row.index);
    if (step.kind == StepKind::join && scenario_.problem.prompt == Prompt::computed) {
      for (std::int64_t i = 0; i < 5; ++i) push(i);
    }
    if (step.kind != StepKind::decode) mirror_.follow(step, history_);
  }
  const CacheMirror::Shard& shard(std::int64_t id, std::size_t rank) {
    return mirror_.at(id).shards[rank];
  }

 private:
  static Scenario make(Prompt prompt) {
    Scenario s = tiny_scenario();
    s.problem.ctx_len = {5};
    s.problem.prompt = prompt;
    s.layout.tpa = 1;
    s.layout.ownership = Ownership::interleaved;
    s.layout.decode_owner = DecodeOwner::continued;
    return s;
  }
  void push(std::int64_t index) {
    const std::vector<std::byte> row(40, static_cast<std::byte>(index));
    mirror_.push(0, index % 2, index == 6 ? nullptr : row.data());
  }

  const Scenario scenario_;
  const Geometry geometry_;
  History history_{scenario_};
  CacheMirror mirror_{scenario_, geometry_};
};

TEST(CacheMirror, RejectionsDropPendingRows) {
  for (const Prompt prompt : {Prompt::computed, Prompt::given}) {
    const std::size_t given = prompt == Prompt::computed ? 3 : 0;  // of rank 0: tokens 0, 2, 4
    Mirrored m(prompt);
    m.apply({StepKind::join, {0}, {}});
    m.apply({StepKind::decode, {0}, {4}});  // tokens 5 to 8
    ASSERT_EQ(m.shard(0, 0).shown.size(), given + 2);
    m.apply({StepKind::reject, {0}, {3}});  // 5 stays
    EXPECT_EQ(m.shard(0, 0).shown.size(), given);
    EXPECT_EQ(m.shard(0, 1).shown.size(), given == 0 ? 1u : 3u);
    EXPECT_EQ(m.shard(0, 1).pending.size(), 40 * m.shard(0, 1).shown.size());
    EXPECT_EQ(m.shard(0, 1).pending.back(), std::byte{5});
  }
}

TEST(CacheMirror, ForksCopyAndFinishesForget) {
  Mirrored m(Prompt::computed);
  m.apply({StepKind::join, {0}, {}});
  m.apply({StepKind::decode, {0}, {2}});
  m.apply({StepKind::fork, {0}, {}});
  EXPECT_EQ(m.shard(1, 0).pending, m.shard(0, 0).pending);
  EXPECT_EQ(m.shard(1, 0).shown, (std::vector<char>{1, 1, 1, 0}));  // token 6 was not shown
  m.apply({StepKind::finish, {0}, {}});
  EXPECT_TRUE(m.shard(0, 0).shown.empty());
  EXPECT_FALSE(m.shard(1, 0).shown.empty());
}

}  // namespace
}  // namespace helixcheck
