#include "fuzz/heap_growth.hpp"

#include <algorithm>
#include <malloc.h>

namespace helixcheck {
namespace {

constexpr int kWarmCalls = 4;
constexpr std::uint64_t kLarge = std::uint64_t{64} << 20;
constexpr int kMostAccepted = 8;
// The C library keeps up to 7 freed blocks of a size at hand and counts them as allocated: a leak
// takes these first.
constexpr int kWarmRuns = 8, kRuns = 8;
constexpr std::uint64_t kLeast = 256;  // a run; vectors of statistics grow more rarely

}  // namespace

std::uint64_t heap_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

bool HeapGrowth::is_large() {
  const std::uint64_t now = heap_in_use();
  if (calls_ < kWarmCalls) {
    ++calls_;
    normal_ = first_normal_ = std::max(normal_, now);
  }
  return now > normal_ + kLarge;
}

bool HeapGrowth::accept() {
  if (++accepted_ > kMostAccepted) return false;
  normal_ = heap_in_use();
  return true;
}

std::uint64_t HeapGrowth::bytes() const {
  const std::uint64_t now = heap_in_use();
  return now > first_normal_ ? now - first_normal_ : 0;
}

std::optional<std::uint64_t> heap_growth_of_a_run(const std::function<void()>& run) {
  for (int i = 0; i < kWarmRuns; ++i) run();
  std::uint64_t least = ~std::uint64_t{0};
  for (int i = 0; i < kRuns; ++i) {
    const std::uint64_t before = heap_in_use();
    run();
    const std::uint64_t after = heap_in_use();
    least = std::min(least, after > before ? after - before : 0);
  }
  if (least < kLeast) return std::nullopt;
  return least;
}

}  // namespace helixcheck
