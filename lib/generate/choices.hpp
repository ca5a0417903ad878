// The choice source: every decision of the generator is one number below a limit.
//
// One generator serves campaigns (a counter-based stream), fuzzers (bytes that somebody mutates)
// and property-based testing libraries (their random source): each implements `below`. Choice 0 is
// by convention the simplest, so that a source that runs dry ends in simple scenarios.

#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace helixcheck {

class Choices {
 public:
  virtual ~Choices() = default;

  // A number in [0, limit), limit >= 1.
  virtual std::uint64_t below(std::uint64_t limit) = 0;
  // The next numbers are for this feature (generate/features.hpp); their count for what belongs to
  // none. Sources that keep numbers for each listen.
  virtual void enter(std::size_t /*feature*/) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {  // both inclusive
    assert(low <= high);
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool one_in(std::uint64_t n) { return below(n) == n - 1; }
  template <typename T>
  T of(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }
  // Roughly log-uniform in [low, high], 0 < low: small values as often as large ones.
  std::int64_t log_between(std::int64_t low, std::int64_t high);
};

// Campaigns: number `index` of a series, a function of (seed, index, lane) alone.
class CounterChoices : public Choices {
 public:
  CounterChoices(std::uint64_t seed, std::uint64_t index, std::uint32_t lane = 0);
  std::uint64_t below(std::uint64_t limit) override;

 private:
  std::uint32_t next_word();

  std::uint64_t seed_, index_;
  std::uint32_t lane_, used_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

// Fuzzers: consumes as many bytes as a limit needs; all choices are 0 once they are used up.
class ByteChoices : public Choices {
 public:
  explicit ByteChoices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint64_t below(std::uint64_t limit) override;

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace helixcheck
