// The way by host memory, alone with a host transport that records what it is given. Between
// processes it runs in mpi_test.

#include "world/staged_transport.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "subject/helixcheck_subject.h"
#include "support/deferred_memory.hpp"

namespace helixcheck {
namespace {

// Stands for two ranks that send the same.
class Echo final : public Transport {
 public:
  std::string_view name() const override { return "echo"; }
  void move(Memory& memory, const Blocks& blocks) override {
    EXPECT_TRUE(memory.is_host());
    auto* to = static_cast<std::byte*>(blocks.recv);
    const auto* from = static_cast<const std::byte*>(blocks.send);
    std::memcpy(to, from, blocks.bytes);
    std::memcpy(to + blocks.bytes, from + (blocks.gather ? 0 : blocks.bytes), blocks.bytes);
  }
  void add(Memory& memory, const Sum& sum) override {
    EXPECT_TRUE(memory.is_host());
    auto* to = static_cast<float*>(sum.recv);
    const auto* from = static_cast<const float*>(sum.send);
    for (std::int64_t i = 0; i < sum.count; ++i) to[i] = 2 * from[i];
  }
};

class Staged : public testing::Test {
 protected:
  DeferredMemory memory_;
  Echo echo_;
  Staging staging_;
  StagedTransport transport_{echo_, staging_, 2, 2};
};

TEST_F(Staged, MovesInTheOrderOfTheMemory) {
  std::vector<std::byte> send(8, std::byte{0}), recv(8, std::byte{0xee});
  memory_.fill(send.data(), std::byte{5}, 8);  // not done yet when the collective is entered
  transport_.move(memory_, {Group::all, send.data(), recv.data(), 4, false});
  transport_.settle(memory_);
  EXPECT_EQ(recv, std::vector<std::byte>(8, std::byte{5}));
}

TEST_F(Staged, CollectivesInARowKeepTheirOwnBytes) {
  std::vector<std::byte> send[3], recv[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t bytes = std::size_t{1000} << (8 * i);  // the last two outgrow the staging
    send[i].assign(bytes, static_cast<std::byte>(i + 1));
    recv[i].assign(2 * bytes, std::byte{0xee});
    transport_.move(memory_, {Group::kvp, send[i].data(), recv[i].data(), bytes, true});
  }
  transport_.settle(memory_);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(recv[i], std::vector<std::byte>(recv[i].size(), static_cast<std::byte>(i + 1)));
  }
}

TEST_F(Staged, AddsOnTheHost) {
  const std::vector<float> send{1, 2, 3};
  std::vector<float> recv(3);
  transport_.add(memory_, {Group::all, send.data(), recv.data(), 3, HXC_FP32, false});
  transport_.settle(memory_);
  EXPECT_EQ(recv, (std::vector<float>{2, 4, 6}));
}

TEST_F(Staged, NothingToMoveIsNoError) {
  transport_.move(memory_, {Group::all, nullptr, nullptr, 0, false});
  transport_.add(memory_, {Group::all, nullptr, nullptr, 0, HXC_FP32, true});
  transport_.settle(memory_);
}

}  // namespace
}  // namespace helixcheck
