// The memory estimate: in the right range for known scenarios, monotone, and free of overflow.

#include <gtest/gtest.h>
#include <limits>

#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

double gib(const Scenario& scenario) {
  return static_cast<double>(memory_need_bytes(scenario)) / kGiB;
}

TEST(MemoryNeed, OfTheFixedTestIsBelowAGibibyte) {
  Scenario s;
  EXPECT_LT(gib(s), 1.0);
  s.problem.ctx_len.assign(8, 16384);
  EXPECT_GT(gib(s), 0.42);  // 3 caches of 131072 x 576 x 2 bytes
  EXPECT_LT(gib(s), 2.0);
}

TEST(MemoryNeed, GrowsWithEverythingThatIsHeld) {
  Scenario s;
  s.problem.ctx_len = {4096};
  const std::int64_t need = memory_need_bytes(s);
  const auto with = [&s](auto&& change) {
    Scenario changed = s;
    change(changed);
    return memory_need_bytes(changed);
  };
  EXPECT_GT(with([](Scenario& c) { c.problem.ctx_len = {8192}; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.hidden_size *= 2; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.q_lora_rank = 8192; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.row_gap = 4096; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.spare_pages = 1024; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.padding_rows = 64; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.kv_cache_tokens_per_block = 65536; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.predicted_tokens_per_seq = 8; }), need);
  EXPECT_GT(with([](Scenario& c) {
              c.script = {
                  {StepKind::join, {}, {}}, {StepKind::fork, {0}, {}}, {StepKind::decode, {}, {}}};
            }),
            need);
  EXPECT_EQ(with([](Scenario& c) { c.layout.page_id_base = 100000; }), need);
  const auto far = [](Scenario& c) { c.layout.page_id_base = 59000000; };  // 2 TiB of addresses
  EXPECT_GT(with(far), need);
  EXPECT_LT(with(far), 2 * need);
  EXPECT_LT(with([](Scenario& c) { c.problem.kv_cache_dtype = Dtype::fp8_e4m3; }), need);
  EXPECT_LT(with([](Scenario& c) { c.problem.entry = Entry::core; }), need);
}

TEST(MemoryNeed, SurvivesTheLargestValidScenario) {
  Scenario s;
  s.problem.hidden_size = 65536;
  s.problem.num_heads = 1024;
  s.problem.q_lora_rank = s.problem.kv_lora_rank = 8192;
  s.problem.qk_nope_head_dim = s.problem.qk_rope_head_dim = s.problem.v_head_dim = 4096;
  s.problem.ctx_len.assign(4096, 65535);
  s.layout.kvp = 64;
  s.layout.tpa = 16;
  s.layout.row_gap = 4096;
  s.layout.page_gap = 1048576;
  s.layout.kv_cache_tokens_per_block = 1;
  ASSERT_EQ(find_error(s), std::nullopt);
  EXPECT_GT(gib(s), 1e6);
  s.problem.entry = Entry::merge;
  s.layout.tpa = 1;
  ASSERT_EQ(find_error(s), std::nullopt);
  EXPECT_GT(gib(s), 1.0);
}

TEST(MemoryNeed, SaturatesInsteadOfOverflowing) {
  Scenario s;
  s.problem.hidden_size = s.problem.num_heads = std::numeric_limits<std::int64_t>::max();
  s.problem.kv_lora_rank = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(memory_need_bytes(s), std::numeric_limits<std::int64_t>::max());
}

double device_gib(const Scenario& scenario, std::int64_t ranks) {
  return static_cast<double>(device_memory_need_bytes(scenario, ranks)) / kGiB;
}

TEST(DeviceMemoryNeed, OfTheFixedTestFitsAnyCard) {
  Scenario s;
  EXPECT_LT(device_gib(s, 2), 2.0);
  s.problem.ctx_len.assign(8, 131072);  // 1.2 GB of cache, half of it on each rank
  EXPECT_GT(device_gib(s, 2), 2.1);
  EXPECT_LT(device_gib(s, 2), 5.0);
  EXPECT_LT(device_gib(s, 1), device_gib(s, 2));
  s.problem.ctx_len = {1 << 20};
  EXPECT_LT(device_gib(s, 2), 7.0);
}

TEST(DeviceMemoryNeed, OfServingSizesIsThatOfTheCache) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 128;
  s.problem.ctx_len.assign(64, 131072);
  const double cache = 64.0 * 131072 * 576 * 2 / kGiB;
  s.layout.kvp = 1;
  EXPECT_GT(device_gib(s, 1), cache);
  EXPECT_LT(device_gib(s, 1), 1.25 * cache + 5);
  s.layout.kvp = 4;
  EXPECT_GT(device_gib(s, 1), cache / 4);
  EXPECT_LT(device_gib(s, 1), 1.25 * cache / 4 + 5);
}

TEST(DeviceMemoryNeed, GrowsWithEverythingThatIsHeld) {
  Scenario s;
  s.problem.ctx_len = {4096};
  const std::int64_t need = device_memory_need_bytes(s, 2);
  const auto with = [&s](auto&& change) {
    Scenario changed = s;
    change(changed);
    return device_memory_need_bytes(changed, 2);
  };
  EXPECT_GT(with([](Scenario& c) { c.problem.ctx_len = {8192}; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.ctx_len = {4096, 4096}; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.hidden_size *= 2; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.q_lora_rank = 8192; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.row_gap = 4096; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.page_gap = 4096; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.spare_pages = 1024; }), need);
  EXPECT_GT(with([](Scenario& c) { c.layout.padding_rows = 64; }), need);
  EXPECT_GT(with([](Scenario& c) { c.problem.predicted_tokens_per_seq = 8; }), need);
  EXPECT_LT(with([](Scenario& c) { c.problem.kv_cache_dtype = Dtype::fp8_e4m3; }), need);
  EXPECT_LT(with([](Scenario& c) { c.problem.entry = Entry::core; }), need);
}

TEST(DeviceMemoryNeed, SaturatesInsteadOfOverflowing) {
  Scenario s;
  s.problem.hidden_size = s.problem.num_heads = std::numeric_limits<std::int64_t>::max();
  s.problem.kv_lora_rank = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(device_memory_need_bytes(s, 2), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace helixcheck
