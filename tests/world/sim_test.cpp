// The simulated collectives against their definition, for many shapes of worlds and block sizes.

#include <cstring>
#include <gtest/gtest.h>

#include "scenario/error.hpp"
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
