// What a rank tells a subject of its pages, and which plans it takes.

#include "helix/rank_state.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <vector>

#include "device/memory.hpp"
#include "generate/case.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kPage = 2, kFirstPage = 50;              // tokens; physical id
constexpr StepRequest kLong{0, 10, 10, 1}, kShort{1, 0, 0, 1};  // one new token each

// On one rank, requests of 11 tokens and of 1, the new ones included: 6 pages and 1.
Scenario two_requests() {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 1;
  s.problem.kv_lora_rank = 4;
  s.problem.qk_rope_head_dim = 2;
  s.problem.ctx_len = {10, 0};
  s.layout.kvp = 1;
  s.layout.kv_cache_tokens_per_block = kPage;
  s.layout.page_id_base = kFirstPage;
  return s;
}

class BlockTables : public testing::Test {
 protected:
  BlockTables() {
    state_.cache().grow(0, 11);
    state_.cache().grow(1, 1);
    buffers_.allocate();
  }

  // As a step of these requests finds it.
  void begin_step(const std::vector<StepRequest>& requests) {
    const std::int64_t count = std::ssize(requests);
    state_.begin_step(0, count, count, false);
    state_.set_block_table(requests);
  }
  std::vector<std::int64_t> table(std::int64_t request) const {
    const hxc_tensor table = state_.host_tensor(Tap::block_table);
    const std::int64_t* row = &int_at(table, request);
    return {row, row + table.shape[1]};
  }
  std::vector<std::int64_t> expected_table(std::int64_t id) {
    const std::span<const std::int64_t> ids = state_.cache().table(id);
    std::vector<std::int64_t> row(ids.begin(), ids.end());
    row.resize(static_cast<std::size_t>(extents_.pages_per_request), -1);
    return row;
  }
  std::int64_t& planned(Tap tap, std::int64_t i) { return int_at(state_.host_tensor(tap), i); }

  const std::unique_ptr<Inputs> inputs_ = make_case(two_requests());
  const hxc_model model_ = make_model(*inputs_);
  const Extents extents_ = find_extents(inputs_->scenario(), expand_script(inputs_->scenario()));
  TapBuffers buffers_{host_memory(), 1};
  const WeightAddress address_of_ = [](const Tensor&) { return nullptr; };
  RankState state_{*inputs_, model_, 0, extents_, {host_memory(), buffers_, 0, address_of_, {}}};
};

TEST_F(BlockTables, AreFilledUpBehindTheirPages) {
  begin_step({kLong, kShort});
  ASSERT_GE(extents_.pages_per_request, 6);
  EXPECT_EQ(table(0), expected_table(0));
  EXPECT_EQ(table(1), expected_table(1));
  const std::vector<std::int64_t> one_page = table(1);
  EXPECT_GE(one_page[0], kFirstPage);
  EXPECT_EQ(std::count(one_page.begin(), one_page.end(), -1), std::ssize(one_page) - 1);
}

// A row is another request's in the next step.
TEST_F(BlockTables, KeepNothingOfTheStepBefore) {
  begin_step({kLong, kShort});
  begin_step({kShort, kLong});
  EXPECT_EQ(table(0), expected_table(1));
  EXPECT_EQ(table(1), expected_table(0));
}

TEST_F(BlockTables, BoundWhatAPlanMaySay) {
  begin_step({kLong, kShort});
  for (std::int64_t i = 0; i < 2; ++i) {
    planned(Tap::slot, i) = -1;
    planned(Tap::visible, i) = 0;
    planned(Tap::row_request, i) = i;
  }
  planned(Tap::local_len, 0) = 6 * kPage;
  planned(Tap::local_len, 1) = kPage;
  EXPECT_TRUE(state_.plan_is_usable());
  planned(Tap::local_len, 1) = kPage + 1;
  EXPECT_FALSE(state_.plan_is_usable()) << "behind the one page of request 1";
  planned(Tap::local_len, 1) = -1;
  EXPECT_FALSE(state_.plan_is_usable());
}

}  // namespace
}  // namespace helixcheck
