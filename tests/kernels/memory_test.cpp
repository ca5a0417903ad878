// Device memory does what host memory does.

#include "device/memory.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/device.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

using Bytes = std::vector<std::byte>;

// The same blocks in two memories.
struct Ranks {
  Ranks(Memory& of, int ranks, std::size_t send_bytes, std::size_t recv_bytes)
      : memory(of), recv_size(recv_bytes) {
    for (int i = 0; i < ranks; ++i) {
      blocks.emplace_back(of, send_bytes + 16);
      send.push_back(blocks.back().data());
      blocks.emplace_back(of, recv_bytes + 16);
      recv.push_back(blocks.back().data());
    }
  }
  void fill(std::size_t rank, const Bytes& bytes) {
    const Block staging(memory, bytes.size(), Block::Side::host);
    std::memcpy(staging.data(), bytes.data(), bytes.size());
    memory.upload(blocks[2 * rank].data(), staging.data(), bytes.size());
    memory.synchronize();
  }
  Bytes received(std::size_t rank) {
    const Block staging(memory, recv_size, Block::Side::host);
    memory.download(staging.data(), recv[rank], recv_size);
    memory.synchronize();
    return {staging.data(), staging.data() + recv_size};
  }
  Memory& memory;
  std::size_t recv_size;
  std::vector<Block> blocks;
  std::vector<const void*> send;
  std::vector<void*> recv;
};

Bytes random_codes(Dtype dtype, std::size_t count, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  std::generate(values.begin(), values.end(), [&] { return normal(random); });
  Bytes codes(count * size_of(dtype));
  encode_from(dtype, std::span<const double>(values), codes.data());
  return codes;
}

using CudaMemory = OnDevice;

TEST_F(CudaMemory, ExchangesBlocksAsTheHostDoes) {
  std::mt19937 random(1);
  for (const bool gather : {false, true}) {
    for (const int members : {1, 2, 3, 8}) {
      for (const std::size_t bytes : {1u, 6u, 12u, 64u, 4096u, 70000u}) {
        const int ranks = 2 * members;
        const std::size_t send_bytes = gather ? bytes : bytes * static_cast<std::size_t>(members);
        const std::size_t recv_bytes = bytes * static_cast<std::size_t>(members);
        Ranks host(host_memory(), ranks, send_bytes, recv_bytes);
        Ranks device(cuda::memory(), ranks, send_bytes, recv_bytes);
        for (std::size_t i = 0; i < static_cast<std::size_t>(ranks); ++i) {
          Bytes sent(send_bytes);
          std::generate(sent.begin(), sent.end(), [&] { return std::byte(random()); });
          host.fill(i, sent);
          device.fill(i, sent);
        }
        host.memory.exchange({host.send, host.recv, members, bytes, gather});
        device.memory.exchange({device.send, device.recv, members, bytes, gather});
        for (std::size_t i = 0; i < static_cast<std::size_t>(ranks); ++i) {
          ASSERT_EQ(host.received(i), device.received(i)) << members << " x " << bytes;
        }
      }
    }
  }
}

TEST_F(CudaMemory, SumsInRankOrderAsTheHostDoes) {
  std::mt19937 random(2);
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16}) {
    for (const bool scatter : {false, true}) {
      for (const int members : {1, 2, 5}) {
        const std::size_t count = 777, item = size_of(dtype);
        const std::size_t parts = scatter ? static_cast<std::size_t>(members) : 1;
        Ranks host(host_memory(), members, parts * count * item, count * item);
        Ranks device(cuda::memory(), members, parts * count * item, count * item);
        for (std::size_t i = 0; i < static_cast<std::size_t>(members); ++i) {
          const Bytes sent = random_codes(dtype, parts * count, random);
          host.fill(i, sent);
          device.fill(i, sent);
        }
        const auto boundary = static_cast<std::int32_t>(dtype);
        host.memory.sum({host.send, host.recv, members, 777, boundary, scatter});
        device.memory.sum({device.send, device.recv, members, 777, boundary, scatter});
        for (std::size_t i = 0; i < static_cast<std::size_t>(members); ++i) {
          ASSERT_EQ(host.received(i), device.received(i)) << members;
        }
      }
    }
  }
}

TEST_F(CudaMemory, NamesWhatItLacks) {
  try {
    cuda::memory().allocate(std::size_t{1} << 50);
    FAIL();
  } catch (const ResourceError& error) {
    EXPECT_NE(std::string(error.what()).find("MiB free"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(cuda::memory().lost());
}

TEST_F(CudaMemory, RecordedWorkRunsAgain) {
  Memory& memory = cuda::memory();
  const Block from(memory, 1024), to(memory, 1024), host(memory, 1024, Block::Side::host);
  memory.fill(from.data(), std::byte{1}, 1024);
  memory.synchronize();
  memory.begin_recording();
  memory.download(host.data(), from.data(), 1024);
  const std::unique_ptr<RecordedWork> work = memory.end_recording();
  std::memset(host.data(), 0, 1024);
  for (const int value : {3, 7}) {
    memory.fill(from.data(), std::byte(value), 1024);
    work->run();
    memory.synchronize();
    EXPECT_EQ(host.data()[1023], std::byte(value));
  }
}

}  // namespace
}  // namespace helixcheck
