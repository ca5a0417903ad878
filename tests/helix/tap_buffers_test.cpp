// Buffers of the taps on the host, and on a memory that works later, as a device does.

#include "helix/tap_buffers.hpp"

#include <cstring>
#include <gtest/gtest.h>

#include "support/deferred_memory.hpp"

namespace helixcheck {
namespace {

constexpr std::byte kNan{0xff}, kNoPlan{0x55};

std::size_t slot(Tap tap) {
  return static_cast<std::size_t>(tap);
}

// Two ranks with slots, queries, results and hidden states of `bytes` each.
void size_all(TapBuffers& buffers, std::size_t bytes) {
  for (std::size_t rank = 0; rank < 2; ++rank) {
    for (const std::size_t s :
         {slot(Tap::slot), slot(Tap::q), slot(Tap::combined), TapBuffers::kHidden}) {
      buffers.size(rank, s, bytes);
    }
  }
}

void make(TapBuffers& buffers, std::size_t bytes) {
  size_all(buffers, bytes);
  buffers.allocate();
}

void begin(TapBuffers& buffers, std::size_t bytes) {
  buffers.begin_step();
  size_all(buffers, bytes);
}

TEST(TapBuffers, OnTheHostAreOnePlace) {
  TapBuffers buffers(host_memory(), 2);
  make(buffers, 64);
  begin(buffers, 32);
  for (const Tap tap : {Tap::slot, Tap::q, Tap::combined}) {
    EXPECT_EQ(buffers.subject_address(1, slot(tap)), buffers.host_address(1, slot(tap)));
  }
  EXPECT_EQ(buffers.host_address(1, slot(Tap::q))[31], kNan);
  EXPECT_EQ(buffers.host_address(1, slot(Tap::slot))[31], kNoPlan);
}

TEST(TapBuffers, BringInputsUpWithPoisonAround) {
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{200} << 10}) {
    DeferredMemory memory;
    TapBuffers buffers(memory, 2);
    make(buffers, 2 * bytes);
    begin(buffers, 2 * bytes);
    for (const std::size_t rank : {0u, 1u}) {
      std::memset(buffers.host_address(rank, slot(Tap::q)), 1, 2 * bytes);
    }
    buffers.upload({slot(Tap::q)});
    memory.synchronize();
    begin(buffers, bytes);  // a smaller step: nothing of the last one may be left
    buffers.host_address(1, slot(Tap::q))[0] = std::byte{7};
    buffers.upload({slot(Tap::q)});
    memory.synchronize();
    const std::byte* q = buffers.subject_address(1, slot(Tap::q));
    EXPECT_NE(q, buffers.host_address(1, slot(Tap::q)));
    EXPECT_EQ(q[0], std::byte{7});
    EXPECT_EQ(q[1], kNan);
    EXPECT_EQ(q[2 * bytes - 1], kNan);
    EXPECT_EQ(buffers.subject_address(0, slot(Tap::q))[2 * bytes - 1], kNan);  // between the ranks
    EXPECT_EQ(buffers.subject_address(0, slot(Tap::combined))[0], kNan);
    EXPECT_EQ(buffers.subject_address(0, slot(Tap::slot))[0], kNoPlan);
  }
}

TEST(TapBuffers, KeepWhatAStageLeftWhenALaterOneWrites) {
  DeferredMemory memory;
  TapBuffers buffers(memory, 2);
  make(buffers, 64);
  begin(buffers, 64);
  memory.synchronize();
  std::byte* combined = buffers.subject_address(1, slot(Tap::combined));
  combined[3] = std::byte{9};
  buffers.download(Stage::combine);
  memory.synchronize();
  combined[3] = std::byte{10};
  buffers.download(Stage::output);  // another stage's taps
  memory.synchronize();
  EXPECT_EQ(buffers.host_address(1, slot(Tap::combined))[3], std::byte{9});
}

TEST(TapBuffers, LeaveHiddenStatesToADeviceThatMakesThem) {
  DeferredMemory memory;
  TapBuffers buffers(memory, 1);
  buffers.size(0, TapBuffers::kHidden, 64);
  buffers.allocate();
  std::memset(buffers.host_address(0, TapBuffers::kHidden), 3, 64);
  buffers.begin_step(true);
  buffers.size(0, TapBuffers::kHidden, 64);
  EXPECT_EQ(buffers.host_address(0, TapBuffers::kHidden)[0], std::byte{3});
}

}  // namespace
}  // namespace helixcheck
