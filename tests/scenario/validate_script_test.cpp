// The rules of scripts, each with its sentence, at and beyond its limit.

#include <gtest/gtest.h>
#include <limits>

#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
const Step kJoin{StepKind::join, {}, {}};
const Step kDecode{StepKind::decode, {}, {}};

// Three requests of 4, 5 and 6 tokens.
std::string error_of(std::vector<Step> script) {
  Scenario s;
  s.problem.ctx_len = {4, 5, 6};
  s.script = std::move(script);
  return find_error(s).value_or("valid");
}

TEST(ValidateScript, TakesWhatCanHappen) {
  EXPECT_EQ(error_of({kJoin, kDecode}), "valid");
  EXPECT_EQ(error_of({{StepKind::join, {2}, {}},
                      {StepKind::decode, {2}, {8}},
                      {StepKind::reject, {2}, {8}},
                      {StepKind::fork, {2}, {}},
                      {StepKind::decode, {3, 2}, {0, 1}},
                      {StepKind::finish, {2}, {}},
                      kJoin,
                      {StepKind::decode, {}, {1, 2, 3}},
                      {StepKind::finish, {}, {}}}),
            "valid");
}

TEST(ValidateScript, ChecksWhoIsThere) {
  EXPECT_EQ(error_of({kDecode}), "script[0] finds no request to decode: none is live");
  EXPECT_EQ(error_of({kJoin, kJoin}), "script[1] finds no request to join: all have joined");
  EXPECT_EQ(error_of({{StepKind::join, {3}, {}}}),
            "script[0].requests[0] is 3, but there are only requests 0 to 2 here");
  EXPECT_EQ(error_of({{StepKind::join, {-1}, {}}}),
            "script[0].requests[0] is -1, but there are only requests 0 to 2 here");
  EXPECT_EQ(error_of({{StepKind::join, {0}, {}}, {StepKind::join, {1, 0}, {}}}),
            "script[1].requests[1] is 0, but a request joins once only");
  EXPECT_EQ(error_of({kJoin, {StepKind::finish, {0}, {}}, {StepKind::join, {0}, {}}}),
            "script[2].requests[0] is 0, but a request joins once only");
  for (const StepKind kind :
       {StepKind::decode, StepKind::reject, StepKind::finish, StepKind::fork}) {
    EXPECT_EQ(error_of({{StepKind::join, {0}, {}}, {kind, {1}, {}}}),
              "script[1].requests[0] is 1, but that request is not live here");
  }
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {1, 2, 1}, {1, 1, 1}}}),
            "script[1].requests names request 1 twice");
  EXPECT_EQ(error_of({kJoin, {StepKind::fork, {0}, {}}, {StepKind::join, {3}, {}}}),
            "script[2].requests[0] is 3, but a request joins once only");
}

TEST(ValidateScript, ChecksTokens) {
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {0}, {9}}}),
            "script[1].tokens[0] is 9, but it must be between 0 and 8");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {0}, {-1}}}),
            "script[1].tokens[0] is -1, but it must be between 0 and 8");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {0, 1}, {1}}}),
            "script[1].tokens has 1 entries, but it must have one for each of 2 requests");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {}, {1}}}),
            "script[1].tokens has 1 entries, but it must have one for each of 3 requests");
  EXPECT_EQ(error_of({{StepKind::join, {0}, {1}}}),
            "script[0].tokens must be empty, because join takes none");
  EXPECT_EQ(error_of({kJoin, kDecode, {StepKind::reject, {1}, {2}}}),
            "script[2].tokens[0] is 2, but request 1 has 1 generated tokens to reject");
  EXPECT_EQ(error_of({kJoin, kDecode, {StepKind::reject, {1}, {-1}}}),
            "script[2].tokens[0] is -1, but request 1 has 1 generated tokens to reject");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {0}, {kMost}}}),
            "script[1].tokens[0] is 9223372036854775807, but it must be between 0 and 8");
}

TEST(ValidateScript, ChecksForks) {
  EXPECT_EQ(error_of({kJoin, {StepKind::fork, {}, {}}}),
            "script[1].requests has 0 entries, but fork must name exactly one request");
  EXPECT_EQ(error_of({kJoin, {StepKind::fork, {0, 1}, {}}}),
            "script[1].requests has 2 entries, but fork must name exactly one request");
  std::vector<Step> many(9000, {StepKind::fork, {0}, {}});
  many.insert(many.begin(), kJoin);
  EXPECT_EQ(error_of(many),
            "script[8190] forks request number 8193, but there must be at most 8192");
}

TEST(ValidateScript, ForksHaveTheirParentsGeneratedTokens) {
  const Step fork{StepKind::fork, {0}, {}};
  EXPECT_EQ(error_of({kJoin, kDecode, fork, {StepKind::reject, {3}, {1}}}), "valid");
  EXPECT_EQ(error_of({kJoin, kDecode, fork, {StepKind::reject, {3}, {2}}}),
            "script[3].tokens[0] is 2, but request 3 has 1 generated tokens to reject");
}

TEST(ValidateScript, MustDecodeSomething) {
  EXPECT_EQ(error_of({kJoin}), "script decodes no token, but at least one must be decoded");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, {}, {0, 0, 0}}}),
            "script decodes no token, but at least one must be decoded");
  Scenario s;
  s.problem.decode_steps = 0;
  EXPECT_EQ(find_error(s),
            "problem.decode_steps x problem.predicted_tokens_per_seq is 0, but at least one token "
            "must be decoded");
}

TEST(ValidateScript, CapsItsSize) {
  EXPECT_EQ(error_of(std::vector<Step>(10001, kDecode)),
            "script has 10001 steps, but it must have at most 10000");
  EXPECT_EQ(error_of({kJoin, {StepKind::decode, std::vector<std::int64_t>(40000, 0), {}}}),
            "script lists 40000 requests and tokens, but it must list at most 32768");
  Scenario s;
  s.problem.ctx_len.assign(4096, 1);
  s.script.assign(300, kDecode);
  s.script[0] = kJoin;
  EXPECT_EQ(find_error(s),
            "script[256] exceeds the 1048576 requests that all steps together may "
            "name");
  s.script.clear();
  s.problem.decode_steps = 300;
  EXPECT_EQ(find_error(s),
            "problem.decode_steps is 300, but with batch 4096 it must be at most 256");
}

TEST(ValidateScript, KeepsPositionsInRange) {
  Scenario s;
  s.problem.ctx_len = {10};
  s.problem.position_base = 2147483637;
  EXPECT_EQ(find_error(s), std::nullopt);  // the last position is 2^31 - 1
  s.problem.position_base += 1;
  EXPECT_EQ(find_error(s),
            "problem.position_base is 2147483638, but the last position is then "
            "2147483648 and must be below 2^31");
  s.script = {kJoin, kDecode};
  EXPECT_EQ(find_error(s),
            "script[1] reaches position 2147483648, but positions must be below 2^31");
  s.problem.position_base += 1;
  EXPECT_EQ(find_error(s),
            "script[0] reaches position 2147483648, but positions must be below 2^31");
}

TEST(ValidateScript, ReplacesTheDefaultScript) {
  Scenario s;
  s.script = {kJoin, kDecode};
  s.problem.decode_steps = 2;
  EXPECT_EQ(find_error(s), "problem.decode_steps is 2, but it must be 1 beside a script");
  s.problem.decode_steps = 1;
  s.problem.predicted_tokens_per_seq = 2;
  EXPECT_EQ(find_error(s),
            "problem.predicted_tokens_per_seq is 2, but it must be 1 beside a script");
}

}  // namespace
}  // namespace helixcheck
