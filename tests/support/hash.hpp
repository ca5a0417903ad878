// Random numbers for tests: a hash of where a value stands, so that tests have no generator state.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace helixcheck {

inline std::uint64_t as_word(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// The finalizer of splitmix64 chained over the words.
inline std::uint64_t hash_words(std::initializer_list<std::uint64_t> words) {
  std::uint64_t state = 0;
  for (const std::uint64_t word : words) {
    state += word + 0x9e3779b97f4a7c15u;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
    state ^= state >> 31;
  }
  return state;
}

// Uniform in [-1, 1).
inline double hash_uniform(std::initializer_list<std::uint64_t> words) {
  return static_cast<double>(hash_words(words) >> 11) * 0x1p-52 - 1.0;
}

// One of low .. high.
inline std::int64_t hash_between(std::initializer_list<std::uint64_t> words, std::int64_t low,
                                 std::int64_t high) {
  const std::uint64_t range = as_word(high - low) + 1;
  return low + static_cast<std::int64_t>(hash_words(words) % range);
}

// `count` values, uniform in [-1, 1).
inline std::vector<double> hash_values(std::uint64_t seed, std::int64_t count) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) values.push_back(hash_uniform({seed, as_word(i)}));
  return values;
}

}  // namespace helixcheck
