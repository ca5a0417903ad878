// Replays of every kind of step, token by token: identities decide values, so a wrong draw number
// would move every value after it.

#include "scenario/history.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

Scenario two_requests() {
  Scenario scenario;
  scenario.problem.ctx_len = {3, 5};
  return scenario;
}

std::vector<Token> tokens_of(const TokenList& list) {
  std::vector<Token> tokens;
  for (std::int64_t i = 0; i < list.size(); ++i) tokens.push_back(list.at(i));
  return tokens;
}

TEST(TokenList, MergesConsecutiveDraws) {
  TokenList list;
  list.append({0, 0}, 1000000);
  list.append({0, 1000000}, 1);
  EXPECT_EQ(list.runs().size(), 1u);
  EXPECT_EQ(list.size(), 1000001);
  EXPECT_EQ(list.at(1000000), (Token{0, 1000000}));
}

TEST(TokenList, StartsARunWhereDrawsJumpOrTheRequestChanges) {
  TokenList list;
  list.append({0, 0}, 2);
  list.append({0, 3}, 2);
  list.append({1, 5}, 1);
  list.append({1, 6}, 0);
  ASSERT_EQ(list.runs().size(), 3u);
  EXPECT_EQ(list.runs()[1].index, 2);
  EXPECT_EQ(list.runs()[2].index, 4);
  EXPECT_EQ(tokens_of(list), (std::vector<Token>{{0, 0}, {0, 1}, {0, 3}, {0, 4}, {1, 5}}));
}

TEST(TokenList, DropsInsideAndAcrossRuns) {
  TokenList list;
  list.append({0, 0}, 3);
  list.append({0, 7}, 3);
  list.drop_last(1);
  EXPECT_EQ(tokens_of(list), (std::vector<Token>{{0, 0}, {0, 1}, {0, 2}, {0, 7}, {0, 8}}));
  list.drop_last(3);
  EXPECT_EQ(tokens_of(list), (std::vector<Token>{{0, 0}, {0, 1}}));
  list.append({0, 2}, 1);
  EXPECT_EQ(list.runs().size(), 1u);
  list.drop_last(3);
  EXPECT_EQ(list.size(), 0);
  EXPECT_TRUE(list.runs().empty());
}

TEST(History, JoinBringsThePrompt) {
  History history(two_requests());
  EXPECT_FALSE(history.live(1));
  EXPECT_TRUE(history.apply({StepKind::join, {1}, {}}).empty());
  EXPECT_FALSE(history.live(0));
  ASSERT_TRUE(history.live(1));
  EXPECT_EQ(history.request(1).id, 1);
  EXPECT_EQ(history.request(1).prompt_len, 5);
  EXPECT_EQ(history.request(1).next_draw, 5);
  EXPECT_EQ(history.request(1).tokens.size(), 5);
  EXPECT_EQ(history.request(1).tokens.at(4), (Token{1, 4}));
  EXPECT_EQ(history.requests_ever(), 2);
}

TEST(History, DecodeOrdersRowsAsTheStepListsRequests) {
  History history(two_requests());
  history.apply({StepKind::join, {0, 1}, {}});
  const std::vector<Row> rows = history.apply({StepKind::decode, {1, 0}, {1, 2}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].request, 1);
  EXPECT_EQ(rows[0].slot, 0);
  EXPECT_EQ(rows[0].index, 5);
  EXPECT_EQ(rows[0].token, (Token{1, 5}));
  EXPECT_EQ(rows[2].request, 0);
  EXPECT_EQ(rows[2].slot, 1);
  EXPECT_EQ(rows[2].index, 4);
  EXPECT_EQ(rows[2].token, (Token{0, 4}));
}

TEST(History, TokensAfterARejectionAreNewDrawsAtOldIndices) {
  History history(two_requests());
  history.apply({StepKind::join, {0}, {}});
  history.apply({StepKind::decode, {0}, {3}});
  EXPECT_TRUE(history.apply({StepKind::reject, {0}, {2}}).empty());
  EXPECT_EQ(history.request(0).tokens.size(), 4);
  const std::vector<Row> rows = history.apply({StepKind::decode, {0}, {1}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].index, 4);
  EXPECT_EQ(rows[0].token, (Token{0, 6}));
  EXPECT_EQ(tokens_of(history.request(0).tokens),
            (std::vector<Token>{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 6}}));
}

TEST(History, ForkKeepsTheParentsTokensAndDrawsItsOwn) {
  History history(two_requests());
  history.apply({StepKind::join, {0, 1}, {}});
  history.apply({StepKind::decode, {0, 1}, {1, 0}});
  history.apply({StepKind::fork, {0}, {}});
  ASSERT_TRUE(history.live(2));
  EXPECT_EQ(history.requests_ever(), 3);
  EXPECT_EQ(history.request(2).id, 2);
  EXPECT_EQ(history.request(2).prompt_len, 3);
  const std::vector<Row> rows = history.apply({StepKind::decode, {0, 2}, {1, 1}});
  EXPECT_EQ(rows[0].token, (Token{0, 4}));
  EXPECT_EQ(rows[1].token, (Token{2, 0}));
  EXPECT_EQ(rows[1].index, 4);
  EXPECT_EQ(tokens_of(history.request(2).tokens),
            (std::vector<Token>{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {2, 0}}));
}

TEST(History, FinishEndsARequest) {
  History history(two_requests());
  history.apply({StepKind::join, {0, 1}, {}});
  history.apply({StepKind::finish, {0}, {}});
  EXPECT_FALSE(history.live(0));
  EXPECT_TRUE(history.live(1));
  history.apply({StepKind::fork, {1}, {}});
  EXPECT_TRUE(history.live(2));
}

TEST(History, KnowsNoOtherIds) {
  const History history(two_requests());
  EXPECT_FALSE(history.live(-1));
  EXPECT_FALSE(history.live(2));
}

}  // namespace
}  // namespace helixcheck
