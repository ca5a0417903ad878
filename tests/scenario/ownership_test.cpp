// Ownership: closed forms against the definition, and examples of each rule.

#include "scenario/ownership.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace helixcheck {
namespace {

Layout make_layout(Ownership ownership, DecodeOwner owner, std::int64_t kvp,
                   std::int64_t interleave) {
  Layout layout;
  layout.ownership = ownership;
  layout.decode_owner = owner;
  layout.kvp = kvp;
  layout.interleave = interleave;
  return layout;
}

std::vector<std::int64_t> owners(const Layout& layout, std::int64_t tokens, std::int64_t prompt) {
  std::vector<std::int64_t> result;
  for (std::int64_t t = 0; t < tokens; ++t) result.push_back(owner_of(layout, t, prompt));
  return result;
}

TEST(Ownership, FollowsThePublishedRules) {
  using V = std::vector<std::int64_t>;
  // The fixed test: contiguous prompt halves, generated tokens on the last rank.
  EXPECT_EQ(owners(make_layout(Ownership::contiguous, DecodeOwner::last, 2, 1), 7, 5),
            (V{0, 0, 0, 1, 1, 1, 1}));
  // vLLM and SGLang: position modulo ranks, the same rule for generated tokens.
  EXPECT_EQ(owners(make_layout(Ownership::interleaved, DecodeOwner::continued, 3, 1), 7, 4),
            (V{0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(owners(make_layout(Ownership::interleaved, DecodeOwner::continued, 2, 2), 7, 4),
            (V{0, 0, 1, 1, 0, 0, 1}));
  // TensorRT-LLM serving: generated tokens count from rank 0 wherever the prompt ended.
  EXPECT_EQ(owners(make_layout(Ownership::interleaved, DecodeOwner::restarted, 2, 2), 8, 3),
            (V{0, 0, 1, 0, 0, 1, 1, 0}));
  EXPECT_EQ(owners(make_layout(Ownership::contiguous_blocks, DecodeOwner::last, 2, 2), 6, 5),
            (V{0, 0, 0, 0, 1, 1}));
}

TEST(Ownership, CountsAndPlacesAgreeWithTheDefinition) {
  for (const Ownership ownership :
       {Ownership::contiguous, Ownership::contiguous_blocks, Ownership::interleaved}) {
    for (const DecodeOwner owner :
         {DecodeOwner::last, DecodeOwner::continued, DecodeOwner::restarted}) {
      for (const std::int64_t kvp : {1, 2, 3, 7}) {
        for (const std::int64_t interleave : {1, 2, 5}) {
          const Layout layout = make_layout(ownership, owner, kvp, interleave);
          for (const std::int64_t prompt : {0, 1, 6, 23, 40}) {
            std::vector<std::int64_t> count(static_cast<std::size_t>(kvp), 0);
            for (std::int64_t t = 0; t <= prompt + 20; ++t) {
              for (std::int64_t rank = 0; rank < kvp; ++rank) {
                ASSERT_EQ(owned_count(layout, rank, t, prompt),
                          count[static_cast<std::size_t>(rank)]);
              }
              std::int64_t& local = count[static_cast<std::size_t>(owner_of(layout, t, prompt))];
              if (t < prompt) {
                ASSERT_EQ(nth_owned_prompt(layout, owner_of(layout, t, prompt), local, prompt), t);
              }
              ++local;
            }
            ASSERT_EQ(nth_owned_prompt(layout, 0, prompt + 1, prompt), -1);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace helixcheck
