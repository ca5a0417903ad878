#include "shrink/hypotheses.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <optional>

namespace helixcheck {
namespace {

constexpr std::int64_t kMaxModulus = 128;
constexpr std::size_t kMaxListed = 8;

using Trials = std::vector<Trial>;

template <typename Says>
bool agrees(const Trials& trials, const Says& says) {
  return std::all_of(trials.begin(), trials.end(),
                     [&says](const Trial& trial) { return says(trial) == trial.fails; });
}

std::int64_t residue(const Trial& trial, std::int64_t modulus) {
  return static_cast<std::int64_t>(trial.value) % modulus;
}

std::optional<std::string> describe_range(const Trials& trials, const Trials& failing) {
  const Trial &low = failing.front(), &high = failing.back();
  const auto above = [&low](const Trial& t) { return t.value >= low.value; };
  const auto below = [&high](const Trial& t) { return t.value <= high.value; };
  if (agrees(trials, above)) return ">= " + low.text;
  if (agrees(trials, below)) return "<= " + high.text;
  if (agrees(trials, [&](const Trial& t) { return above(t) && below(t); })) {
    return fmt::format("{} to {}", low.text, high.text);
  }
  return std::nullopt;
}

// A modulus says something only if the values tried hold its residue at least twice and others too.
std::optional<std::string> describe_residue(const Trials& trials, const Trials& failing) {
  const Trial& low = failing.front();
  for (std::int64_t modulus = 2; modulus <= kMaxModulus && failing.size() > 1; ++modulus) {
    const std::int64_t r = residue(low, modulus);
    const auto same = [=](const Trial& t) { return residue(t, modulus) == r; };
    if (agrees(trials, same)) return fmt::format("% {} == {}", modulus, r);
    if (agrees(trials, [&](const Trial& t) { return same(t) && t.value >= low.value; })) {
      return fmt::format("% {} == {}, >= {}", modulus, r, low.text);
    }
  }
  const auto passing =
      std::find_if(trials.begin(), trials.end(), [](const Trial& t) { return !t.fails; });
  for (std::int64_t modulus = 2; modulus <= kMaxModulus; ++modulus) {
    const std::int64_t r = residue(*passing, modulus);
    const auto other = [=](const Trial& t) { return residue(t, modulus) != r; };
    const auto passed =
        std::count_if(trials.begin(), trials.end(), [](const Trial& t) { return !t.fails; });
    if (passed > 1 && agrees(trials, other)) return fmt::format("% {} != {}", modulus, r);
    std::int64_t least = modulus;
    for (const Trial& t : failing) least = std::min(least, residue(t, modulus));
    const auto upper = [=](const Trial& t) { return residue(t, modulus) >= least; };
    if (failing.size() > 2 && agrees(trials, upper)) {
      return fmt::format("% {} >= {}", modulus, least);
    }
  }
  return std::nullopt;
}

std::string describe_list(const Trials& failing) {
  std::string text = "one of";
  for (std::size_t i = 0; i < std::min(failing.size(), kMaxListed); ++i) {
    text += (i == 0 ? " " : ", ") + failing[i].text;
  }
  return failing.size() > kMaxListed ? text + ", ..." : text;
}

}  // namespace

std::string describe(std::vector<Trial> trials, bool ordered, bool integers) {
  std::sort(trials.begin(), trials.end(),
            [](const Trial& a, const Trial& b) { return a.value < b.value; });
  Trials failing;
  std::copy_if(trials.begin(), trials.end(), std::back_inserter(failing),
               [](const Trial& trial) { return trial.fails; });
  if (failing.size() == trials.size()) return "any";
  if (failing.size() == 1) return "== " + failing[0].text;
  if (ordered) {
    if (const auto text = describe_range(trials, failing)) return *text;
  }
  if (failing.size() + 1 == trials.size()) {
    const auto passing =
        std::find_if(trials.begin(), trials.end(), [](const Trial& t) { return !t.fails; });
    return "!= " + passing->text;
  }
  if (ordered && integers) {
    if (const auto text = describe_residue(trials, failing)) return *text;
  }
  return describe_list(failing);
}

}  // namespace helixcheck
