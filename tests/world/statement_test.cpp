// When ranks disagree on a collective, and what the error says.

#include "world/statement.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "scenario/scenario.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {
namespace {

std::string message_of(const std::vector<Statement>& statements) {
  try {
    check_agreement(statements);
  } catch (const SubjectError& error) {
    return error.what();
  }
  return "";
}

constexpr Statement kExchange{Collective::all_to_all, Group::all, 2, 4096};
constexpr Statement kGather{Collective::all_gather, Group::all, 2, 64};

TEST(Statement, EqualStatementsAgree) {
  EXPECT_EQ(message_of({kExchange}), "");
  EXPECT_EQ(message_of({kExchange, kExchange, kExchange}), "");
}

TEST(Statement, HarnessTrafficMayDifferInSize) {
  const auto sized = [](Collective kind, std::int64_t value) {
    return Statement{kind, Group::all, -1, value};
  };
  EXPECT_EQ(
      message_of({sized(Collective::gather_to_root, 3), sized(Collective::gather_to_root, 9)}), "");
  EXPECT_EQ(message_of({sized(Collective::agree, 1), sized(Collective::agree, 0)}), "");
}

TEST(Statement, NamesWhichRanksEnterWhat) {
  EXPECT_EQ(message_of({kExchange, kGather}),
            "collective mismatch at step 2: rank 0 enters all_to_all of 4096 bytes, rank 1 enters "
            "all_gather of 64 bytes");
  EXPECT_EQ(
      message_of({kExchange, kGather, kExchange, kExchange, kExchange, kGather}),
      "collective mismatch at step 2: ranks 0, 2-4 enter all_to_all of 4096 bytes, ranks 1, 5 "
      "enter all_gather of 64 bytes");
}

TEST(Statement, EachFieldCounts) {
  Statement other = kExchange;
  other.value = 8192;
  EXPECT_EQ(message_of({kExchange, other}),
            "collective mismatch at step 2: rank 0 enters all_to_all of 4096 bytes, rank 1 enters "
            "all_to_all of 8192 bytes");
  other = kExchange;
  other.step = 3;
  EXPECT_EQ(message_of({kExchange, other}),
            "collective mismatch: rank 0 enters all_to_all of 4096 bytes at step 2, rank 1 enters "
            "all_to_all of 4096 bytes at step 3");
  other = kExchange;
  other.group = Group::kvp;
  EXPECT_EQ(message_of({kExchange, other}),
            "collective mismatch at step 2: rank 0 enters all_to_all of 4096 bytes, rank 1 enters "
            "all_to_all of 4096 bytes within KVP groups");
}

TEST(Statement, SumsNameCountAndType) {
  const auto sum = [](std::int64_t dtype) {
    return Statement{Collective::all_reduce, Group::all, 1, 64, dtype};
  };
  EXPECT_EQ(message_of({sum(HXC_FP32), sum(HXC_FP32)}), "");
  EXPECT_EQ(message_of({sum(HXC_FP32), sum(HXC_BF16)}),
            "collective mismatch at step 1: rank 0 enters all_reduce of 64 fp32 values, rank 1 "
            "enters all_reduce of 64 bf16 values");
}

TEST(Statement, RanksWithDifferentTransportsDisagree) {
  const auto wish = [](TransportKind kind) {
    return Statement{Collective::connect, Group::all, -1, static_cast<std::int64_t>(kind)};
  };
  EXPECT_EQ(message_of({wish(TransportKind::staged), wish(TransportKind::alltoall)}),
            "collective mismatch: rank 0 enters connect by transport staged, rank 1 enters connect "
            "by transport alltoall");
}

TEST(Statement, ARankThatLeavesIsNamed) {
  EXPECT_EQ(
      message_of({kExchange, {Collective::leave}}),
      "collective mismatch: rank 0 enters all_to_all of 4096 bytes at step 2, rank 1 enters no "
      "collective, its world has ended");
}

TEST(Statement, BuffersMustMatchTheRanks) {
  EXPECT_NO_THROW(check_buffers(kExchange, 2, 2, 2));
  EXPECT_THROW(check_buffers(kExchange, 1, 2, 2), SubjectError);
  EXPECT_THROW(check_buffers(kExchange, 2, 3, 2), SubjectError);
}

}  // namespace
}  // namespace helixcheck
