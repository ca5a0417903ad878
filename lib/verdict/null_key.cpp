// Signs are compared 64 at a time. A key that was lost leaves its pattern negated; one that was
// doubled leaves it as it is; one that was overwritten by another leaves the difference of the two,
// which is 0 wherever they agree.

#include "verdict/null_key.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {
namespace {

using Words = std::vector<std::uint64_t>;

constexpr std::int64_t kChunk = 1024;       // keys read at once
constexpr std::size_t kMostMatches = 4096;  // more say nothing

// Signs of R values and which of them are not zero.
struct Pattern {
  Words negative, present;

  explicit Pattern(std::span<const double> values)
      : negative((values.size() + 63) / 64), present(negative.size()) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      const std::uint64_t bit = std::uint64_t{1} << (j % 64);
      if (values[j] < 0) negative[j / 64] |= bit;
      if (values[j] != 0) present[j / 64] |= bit;
    }
  }

  bool empty() const {
    return std::all_of(present.begin(), present.end(), [](std::uint64_t w) { return w == 0; });
  }
  bool full(std::size_t values) const {
    std::size_t count = 0;
    for (const std::uint64_t word : present) {
      count += static_cast<std::size_t>(__builtin_popcountll(word));
    }
    return count == values;
  }
  // Whether `key` agrees with this wherever this is not zero; with flip, is its opposite there.
  bool matches(const Pattern& key, bool flip) const {
    for (std::size_t w = 0; w < present.size(); ++w) {
      const std::uint64_t differ = (negative[w] ^ key.negative[w]) & present[w];
      if ((present[w] & ~key.present[w]) != 0 || differ != (flip ? present[w] : 0)) return false;
    }
    return true;
  }
};

struct Match {
  std::int64_t index;
  Pattern pattern;
};

struct Matches {
  std::vector<Match> lost, added;  // keys whose opposite, or whose own signs the values have
  bool too_many() const { return lost.size() > kMostMatches || added.size() > kMostMatches; }
};

// Compares the keys of one run of tokens, a chunk at a time.
void scan_run(const Inputs& inputs, const NullRow& row, const TokenRun& run, const Pattern& got,
              Matches& matches) {
  const Problem& p = inputs.problem();
  const auto latent = static_cast<std::size_t>(p.kv_lora_rank);
  const std::size_t width = latent + static_cast<std::size_t>(p.qk_rope_head_dim);
  const std::int64_t end = std::min(run.index + run.count, row.visible);
  std::vector<std::byte> codes(static_cast<std::size_t>(kChunk) * width * size_of(p.dtype));
  std::vector<double> keys(static_cast<std::size_t>(kChunk) * width);
  for (std::int64_t first = run.index; first < end && !matches.too_many(); first += kChunk) {
    const std::int64_t count = std::min(kChunk, end - first);
    inputs.latent({run.first.request, run.first.draw + first - run.index}, first, count,
                  codes.data());
    const auto read = std::span(keys).first(static_cast<std::size_t>(count) * width);
    decode_to(p.dtype, codes.data(), read);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t owner =
          owner_of(inputs.scenario().layout, first + i, row.request->prompt_len);
      if (row.kvp_rank >= 0 && owner != row.kvp_rank) continue;
      const Pattern key(read.subspan(static_cast<std::size_t>(i) * width, latent));
      if (got.matches(key, true)) matches.lost.push_back({first + i, key});
      if (got.matches(key, false)) matches.added.push_back({first + i, key});
    }
  }
}

std::string key_text(const Inputs& inputs, const NullRow& row, std::int64_t index) {
  return fmt::format("key {} of request {} (rank {})", index, row.request->id,
                     owner_of(inputs.scenario().layout, index, row.request->prompt_len));
}

using Pair = std::pair<std::int64_t, std::int64_t>;

// Pairs (lost, read in its stead) that agree where the values are 0 and differ elsewhere. There are
// always two: -c + d is also what the neighbours of both leave, the other way round.
std::vector<Pair> find_pairs(const Matches& matches, const Pattern& got) {
  std::vector<Pair> found;
  for (const Match& lost : matches.lost) {
    for (const Match& added : matches.added) {
      bool fits = true;
      for (std::size_t w = 0; fits && w < got.present.size(); ++w) {
        fits = (lost.pattern.negative[w] ^ added.pattern.negative[w]) == got.present[w];
      }
      if (fits) found.emplace_back(lost.index, added.index);
    }
  }
  return found;
}

// A single key's pattern is everywhere as large.
bool of_one_size(std::span<const double> values) {
  const auto smaller = [](double a, double b) { return std::abs(a) < std::abs(b); };
  const auto [least, most] = std::minmax_element(values.begin(), values.end(), smaller);
  return std::abs(*most) <= 1.25 * std::abs(*least);
}

std::string pair_text(const Inputs& inputs, const NullRow& row, const Pair& pair) {
  return fmt::format("{}, overwritten by {}", key_text(inputs, row, pair.first),
                     key_text(inputs, row, pair.second));
}

}  // namespace

std::string name_null_key(const Inputs& inputs, const NullRow& row,
                          std::span<const double> values) {
  const Pattern got(values);
  if (got.empty()) return {};
  Matches matches;
  for (const TokenRun& run : row.request->tokens.runs()) {
    if (run.index < row.visible) scan_run(inputs, row, run, got, matches);
  }
  if (matches.too_many()) return {};
  if (!got.full(values.size())) {
    const std::vector<Pair> pairs = find_pairs(matches, got);
    if (pairs.size() == 2) {
      return fmt::format("the pattern is that of {}, or of {}", pair_text(inputs, row, pairs[0]),
                         pair_text(inputs, row, pairs[1]));
    }
  }
  if (!got.full(values.size()) || !of_one_size(values)) return {};
  if (matches.lost.size() > 1 || matches.added.size() > 1) return {};
  const std::string start = "the pattern is that of ";
  const auto named = [&](const std::vector<Match>& one) {
    return key_text(inputs, row, one[0].index);
  };
  if (!matches.added.empty() && (matches.lost.empty() || row.surplus > 0)) {
    return start + named(matches.added) + ", doubled";
  }
  if (matches.lost.empty()) return {};
  if (row.surplus < 0) return start + named(matches.lost) + ", lost";
  std::string text = start + named(matches.lost) + ", lost or replaced";
  if (!matches.added.empty()) text += ", or of " + named(matches.added) + ", doubled";
  return text;
}

}  // namespace helixcheck
