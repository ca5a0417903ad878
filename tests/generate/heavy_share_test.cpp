// Planted keys hold their share in the case as stored, whatever the layout, lengths and formats.

#include "generate/heavy_share.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "generate/case.hpp"
#include "generate/choices.hpp"
#include "generate/heavy_keys.hpp"
#include "scenario/json.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

constexpr HeavyPlace kPlaces[] = {HeavyPlace::key_zero,    HeavyPlace::newest,
                                  HeavyPlace::shard_first, HeavyPlace::shard_last,
                                  HeavyPlace::page_first,  HeavyPlace::page_last};

Scenario draw_scenario(std::uint64_t index) {
  CounterChoices draw(5, index);
  Scenario s;
  Problem& p = s.problem;
  p.entry = Entry::core;
  s.layout.kvp = draw.between(1, 8);
  s.layout.ownership =
      draw.of({Ownership::contiguous, Ownership::contiguous_blocks, Ownership::interleaved});
  s.layout.decode_owner = draw.of({DecodeOwner::last, DecodeOwner::restarted});
  s.layout.interleave = draw.of<std::int64_t>({1, 3, 16});
  s.layout.kv_cache_tokens_per_block = draw.of<std::int64_t>({1, 4, 32});
  p.num_heads = s.layout.kvp * draw.between(1, 3);
  p.kv_lora_rank = draw.of<std::int64_t>({4, 16, 50, 128});
  p.qk_rope_head_dim = draw.of<std::int64_t>({2, 4, 16});
  p.qk_nope_head_dim = draw.of<std::int64_t>({4, 128});
  p.dtype = p.kv_cache_dtype = draw.of({Dtype::bf16, Dtype::fp16, Dtype::fp32});
  if (draw.one_in(3)) {
    p.kv_cache_dtype = Dtype::fp8_e4m3;
    p.kv_scale = draw.of({1.0, 0.0625, 0.03});
  }
  p.ctx_len = {draw.log_between(1, 4096), draw.log_between(1, 64)};
  p.data.seed = index;
  p.data.logit_gain = draw.of({0.1, 1.0, 3.0, 30.0, 100.0});
  p.data.k_pe_gain = draw.of({1.0, 1.0, 16.0, 64.0});
  const std::int64_t keys = std::min(draw.between(1, 3), p.num_heads);
  for (int head = 0; head < keys; ++head) {
    p.data.heavy.push_back({kPlaces[draw.below(std::size(kPlaces))], head,
                            static_cast<int>(draw.between(0, s.layout.kvp - 1)),
                            draw.of({0.5, 0.5, 0.3, 0.9})});
  }
  return s;
}

// Keys of one request compete where they outnumber its tokens; all of their masses can be had
// together only if each key's own head lets it.
TEST(HeavyShares, AreThereInTheCaseAsStored) {
  int planted = 0;
  double least = 1;
  for (std::uint64_t index = 0; index < 600; ++index) {
    const Scenario s = draw_scenario(index);
    validate(s);
    for (const HeavyShare& share : heavy_shares(*make_case(s))) {
      const double mass = s.problem.data.heavy[share.key].mass;
      ++planted;
      least = std::min(least, share.share / mass);
      EXPECT_GE(share.share, 0.6 * mass)
          << index << ", request " << share.request << ", key " << share.key << "\n"
          << print_scenario(s);
    }
  }
  EXPECT_GT(planted, 1500);
  RecordProperty("least_share_over_mass", std::to_string(least));
}

TEST(HeavyTokens, LeaveOutWhatHasNoPlaceOrIsTaken) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {1, 9};
  s.problem.data.heavy = {HeavyKey{HeavyPlace::key_zero, 0, 0, 0.5},
                          HeavyKey{HeavyPlace::shard_first, 1, 0, 0.5},   // the same token
                          HeavyKey{HeavyPlace::shard_first, 2, 1, 0.5}};  // none in request 0
  const std::vector<HeavyToken> tokens = heavy_tokens(s);
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[0].index, 0);
  EXPECT_EQ(tokens[1].request, 1);
  EXPECT_EQ(tokens[1].index, 0);
  EXPECT_EQ(tokens[2].key, 2u);
  EXPECT_EQ(tokens[2].index, 5);
}

}  // namespace
}  // namespace helixcheck
