// The simulated collectives against their definition, for many shapes of worlds and block sizes.

#include <cstring>
#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "subject/helixcheck_subject.h"
#include "world/world.hpp"

namespace helixcheck {
namespace {

using Buffer = std::vector<std::byte>;

// Byte `i` of the block that `from` holds for `to`.
std::byte content(int from, int to, std::size_t i) {
  return static_cast<std::byte>((from * 31 + to * 7 + static_cast<int>(i % 251)) % 256);
}

struct Buffers {
  std::vector<Buffer> send, recv;
  std::vector<const void*> from;
  std::vector<void*> to;
};

// `send_blocks` and `recv_blocks` blocks of `bytes` for each rank; block p of a send buffer is for
// p.
Buffers make_buffers(int ranks, int send_blocks, int recv_blocks, std::size_t bytes) {
  Buffers buffers;
  for (int rank = 0; rank < ranks; ++rank) {
    Buffer send(static_cast<std::size_t>(send_blocks) * bytes);
    for (std::size_t i = 0; i < send.size(); ++i) {
      send[i] = content(rank, static_cast<int>(i / bytes), i % bytes);
    }
    buffers.send.push_back(send);
    buffers.recv.emplace_back(static_cast<std::size_t>(recv_blocks) * bytes, std::byte{0xee});
  }
  for (const Buffer& send : buffers.send) buffers.from.push_back(send.data());
  for (Buffer& recv : buffers.recv) buffers.to.push_back(recv.data());
  return buffers;
}

struct Shape {
  int kvp, tpa;
  Group group;
  std::size_t bytes;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (int kvp = 1; kvp <= 5; ++kvp) {
    for (int tpa = 1; tpa <= 4; ++tpa) {
      for (const std::size_t bytes : {0, 1, 7, 64, 1000}) {
        for (const Group group : {Group::kvp, Group::all}) all.push_back({kvp, tpa, group, bytes});
      }
    }
  }
  return all;
}

// The first rank of rank's group and the size of the group, from the definition r = t * kvp + c.
int first_member(const Shape& shape, int rank) {
  return shape.group == Group::all ? 0 : rank - rank % shape.kvp;
}
int members(const Shape& shape) {
  return shape.group == Group::all ? shape.kvp * shape.tpa : shape.kvp;
}

TEST(Sim, AllToAllGivesEachMemberItsBlock) {
  for (const Shape& shape : shapes()) {
    const auto world = make_sim_world(shape.kvp, shape.tpa);
    const int count = members(shape);
    Buffers buffers = make_buffers(world->size(), count, count, shape.bytes);
    world->all_to_all(shape.group, buffers.from, buffers.to, shape.bytes, 0);
    for (int rank = 0; rank < world->size(); ++rank) {
      const int first = first_member(shape, rank);
      const Buffer& recv = buffers.recv[static_cast<std::size_t>(rank)];
      for (std::size_t i = 0; i < recv.size(); ++i) {
        const int sender = first + static_cast<int>(i / shape.bytes);
        ASSERT_EQ(recv[i], content(sender, rank - first, i % shape.bytes))
            << shape.kvp << "x" << shape.tpa << " rank " << rank << " byte " << i;
      }
    }
  }
}

TEST(Sim, AllGatherGivesAllBlocksInRankOrder) {
  for (const Shape& shape : shapes()) {
    const auto world = make_sim_world(shape.kvp, shape.tpa);
    Buffers buffers = make_buffers(world->size(), 1, members(shape), shape.bytes);
    world->all_gather(shape.group, buffers.from, buffers.to, shape.bytes, 0);
    for (int rank = 0; rank < world->size(); ++rank) {
      const int first = first_member(shape, rank);
      const Buffer& recv = buffers.recv[static_cast<std::size_t>(rank)];
      for (std::size_t i = 0; i < recv.size(); ++i) {
        const int sender = first + static_cast<int>(i / shape.bytes);
        ASSERT_EQ(recv[i], content(sender, 0, i % shape.bytes))
            << shape.kvp << "x" << shape.tpa << " rank " << rank << " byte " << i;
      }
    }
  }
}

// Values of which no order of addition loses a bit.
std::vector<float> whole_numbers(int rank, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(rank * 100 + static_cast<int>(i));
  }
  return values;
}

TEST(Sim, AllReduceGivesEachMemberTheSumOfItsGroup) {
  for (const Group group : {Group::kvp, Group::all}) {
    const Shape shape{3, 2, group, 0};
    const auto world = make_sim_world(shape.kvp, shape.tpa);
    std::vector<std::vector<float>> send, recv;
    std::vector<const void*> from;
    std::vector<void*> to;
    for (int rank = 0; rank < 6; ++rank) send.push_back(whole_numbers(rank, 5));
    for (int rank = 0; rank < 6; ++rank) recv.emplace_back(5, -1.0f);
    for (const auto& values : send) from.push_back(values.data());
    for (auto& values : recv) to.push_back(values.data());
    world->all_reduce(group, from, to, 5, HXC_FP32, 0);
    for (int rank = 0; rank < 6; ++rank) {
      for (std::size_t i = 0; i < 5; ++i) {
        float sum = 0;
        for (int member = 0; member < members(shape); ++member) {
          sum += send[static_cast<std::size_t>(first_member(shape, rank) + member)][i];
        }
        EXPECT_EQ(recv[static_cast<std::size_t>(rank)][i], sum) << "rank " << rank;
      }
    }
  }
}

TEST(Sim, ReduceScatterGivesEachMemberItsPartOfTheSum) {
  for (const Group group : {Group::kvp, Group::all}) {
    const Shape shape{3, 2, group, 0};
    const auto world = make_sim_world(shape.kvp, shape.tpa);
    const auto parts = static_cast<std::size_t>(members(shape));
    std::vector<std::vector<float>> send, recv;
    std::vector<const void*> from;
    std::vector<void*> to;
    for (int rank = 0; rank < 6; ++rank) send.push_back(whole_numbers(rank, 4 * parts));
    for (int rank = 0; rank < 6; ++rank) recv.emplace_back(4, -1.0f);
    for (const auto& values : send) from.push_back(values.data());
    for (auto& values : recv) to.push_back(values.data());
    world->reduce_scatter(group, from, to, 4, HXC_FP32, 0);
    for (int rank = 0; rank < 6; ++rank) {
      const int first = first_member(shape, rank);
      for (std::size_t i = 0; i < 4; ++i) {
        float sum = 0;
        for (std::size_t member = 0; member < parts; ++member) {
          sum += send[static_cast<std::size_t>(first) + member]
                     [static_cast<std::size_t>(rank - first) * 4 + i];
        }
        EXPECT_EQ(recv[static_cast<std::size_t>(rank)][i], sum) << "rank " << rank;
      }
    }
  }
}

TEST(Sim, SumsAreTakenInRankOrderWithOneRounding) {
  const auto world = make_sim_world(3, 1);
  const float big = 16777216.0f;  // 2^24: adding 1 to it is lost, adding 2 is not
  const std::vector<float> values[] = {{1.0f}, {1.0f}, {big}};
  const std::vector<float> reversed[] = {{big}, {1.0f}, {1.0f}};
  const auto sum_of = [&](const std::vector<float>(&send)[3]) {
    float recv[3];
    const void* from[] = {send[0].data(), send[1].data(), send[2].data()};
    void* to[] = {&recv[0], &recv[1], &recv[2]};
    world->all_reduce(Group::all, from, to, 1, HXC_FP32, 0);
    return recv[0];
  };
  EXPECT_EQ(sum_of(values), big + 2);
  EXPECT_EQ(sum_of(reversed), big);
}

TEST(Sim, GatherToRootKeepsRankOrderAndSizes) {
  const auto world = make_sim_world(3, 1);
  const std::vector<Buffer> data = {Buffer(5, std::byte{1}), {}, Buffer(2, std::byte{3})};
  const auto gathered = world->gather_to_root(std::vector<Bytes>{data[0], data[1], data[2]});
  ASSERT_EQ(gathered.size(), 3U);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(Buffer(gathered[rank].begin(), gathered[rank].end()), data[rank]);
  }
}

TEST(Sim, HoldsEveryRankAndAgreesWithItself) {
  const auto world = make_sim_world(2, 3);
  EXPECT_EQ(world->name(), "sim");
  EXPECT_EQ(world->first_local(), 0);
  EXPECT_EQ(world->local_ranks(), 6);
  EXPECT_TRUE(world->is_root());
  EXPECT_TRUE(world->agree(true));
  EXPECT_FALSE(world->agree(false));
}

TEST(Sim, RefusesACollectiveThatARankDoesNotEnter) {
  const auto world = make_sim_world(2, 2);
  Buffers buffers = make_buffers(4, 2, 2, 8);
  const std::span<const void* const> three(buffers.from.data(), 3);
  EXPECT_THROW(world->all_to_all(Group::kvp, three, buffers.to, 8, 0), SubjectError);
  EXPECT_THROW(world->all_gather(Group::kvp, three, buffers.to, 8, 0), SubjectError);
  EXPECT_THROW(world->gather_to_root(std::vector<Bytes>(3)), SubjectError);
}

}  // namespace
}  // namespace helixcheck
