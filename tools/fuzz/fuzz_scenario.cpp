// Genomes as scenarios: each is run and judged under a property. A failure is printed with its
// signature, blame, scenario and replay command, and ends the process.
//
// libFuzzer's feedback is the coverage of the subject, and three tables of counters besides: how
// close each tap came to its bound, the pairs of feature levels, and a sample of their triples.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "campaign/check.hpp"
#include "fuzz/climb.hpp"
#include "generate/cost.hpp"
#include "generate/level_draw.hpp"
#include "mla/parallel.hpp"
#include "scenario/error.hpp"
#include "scenario_case.hpp"

namespace {

using namespace helixcheck;

// libFuzzer looks through all of them after each run and counts how often each feature was met, so
// that they are few, and of pairs and triples of levels only one in so many counts, by its hash.
constexpr std::size_t kRatioCounters = 2048, kPairCounters = 4096, kTripleCounters = 8192;
constexpr std::uint32_t kPairOneIn = 16, kTripleOneIn = 256;

struct Counters {
  std::array<std::uint8_t, kRatioCounters> ratios;
  std::array<std::uint8_t, kPairCounters> pairs;
  std::array<std::uint8_t, kTripleCounters> triples;
};

__attribute__((section("__libfuzzer_extra_counters"), used)) Counters counters;

void count_ratios(const std::vector<TapResult>& taps) {
  for (const TapResult& tap : taps) {
    if (tap.exact) continue;
    const auto bucket = static_cast<std::size_t>(std::min(ratio_bucket(tap.worst_ratio), 3) + 60);
    counters.ratios[(static_cast<std::size_t>(tap.tap) * 64 + bucket) % kRatioCounters] = 1;
  }
}

template <std::size_t count>
void count_one_in(std::uint32_t one_in, std::uint32_t value,
                  std::array<std::uint8_t, count>& counts) {
  const std::uint32_t hash = value * 0x9e3779b1u;
  if ((hash >> 24) % one_in == 0) counts[(hash >> 8) % count] = 1;
}

void count_levels(const Selection& selection) {
  std::array<std::uint32_t, 64> levels{};
  const std::size_t count = selection.size();
  for (std::size_t f = 0; f < count; ++f) {
    levels[f] = static_cast<std::uint32_t>(first_level(f) + selection[f]);
  }
  for (std::size_t h = 1; h < count; ++h) {
    for (std::size_t g = 0; g < h; ++g) {
      const std::uint32_t pair = levels[h] * 256 + levels[g];
      count_one_in(kPairOneIn, pair, counters.pairs);
      for (std::size_t f = 0; f < g; ++f) {
        count_one_in(kTripleOneIn, pair * 256 + levels[f], counters.triples);
      }
    }
  }
}

[[noreturn]] void report(const ScenarioCase& one, const Subject& subject,
                         const PropertyResult& result) {
  const std::optional<Signature> signature = signature_of(*one.property, subject, result);
  fmt::print(stderr, "{}\n{}\n{}", to_text(*signature), result.failure->blame.sentence,
             describe(one));
  std::abort();
}

std::unique_ptr<Subject> required_subject() {
  try {
    return find_subject(subject_argument());
  } catch (const std::exception& error) {
    fmt::print(stderr, "HELIXCHECK_SUBJECT: {}\n", error.what());
    std::exit(2);
  }
}

std::size_t write(const Genome& genome, std::uint8_t* data, std::size_t max_size) {
  const std::vector<std::uint8_t> bytes = to_bytes(genome);
  const std::size_t size = std::min(bytes.size(), max_size);
  std::copy_n(bytes.begin(), size, data);
  return size;
}

constexpr std::uint64_t kFreshOneIn = 32;
constexpr int kTries = 3;  // until one is worth its cost

// What `make` makes, if it is worth its cost, or else a fresh genome: children of dear parents are
// dear, and would soon take all the time.
template <typename Make>
Genome affordable(Choices& choices, const Make& make) {
  for (int left = kTries; left > 0; --left) {
    Genome genome = make();
    const DrawnScenario drawn = decode(genome);
    if (worth_its_cost(forecast_seconds(drawn.scenario), drawn.size, choices)) return genome;
  }
  return draw_genome(choices);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<Subject> subject = required_subject();
  const ThreadLimit one_thread(1);
  const ScenarioCase one = case_of({data, size}, *subject);
  if (std::getenv("HELIXCHECK_SHOW") != nullptr) {  // what is it, before it is run?
    fmt::print("{}", describe(one));
    return 0;
  }
  count_levels(one.drawn.selection);
  try {
    const PropertyResult result = one.property->check(one.drawn.scenario, *subject, {});
    count_ratios(result.taps);
    if (result.failure) report(one, *subject, result);
  } catch (const InputError&) {  // the subject does not take it, or hides too much to be judged
  } catch (const ResourceError&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  CounterChoices choices(seed, 0);
  const Genome parent = genome_of({data, size});
  const Genome child = affordable(choices, [&] {
    if (choices.one_in(kFreshOneIn)) return draw_genome(choices);
    Genome genome = parent;
    mutate(genome, choices);
    return genome;
  });
  return write(child, data, max_size);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* data1, std::size_t size1,
                                                 const std::uint8_t* data2, std::size_t size2,
                                                 std::uint8_t* out, std::size_t max_out_size,
                                                 unsigned seed) {
  CounterChoices choices(seed, 1);
  const Genome a = genome_of({data1, size1}), b = genome_of({data2, size2});
  const Genome child = affordable(choices, [&] { return cross(a, b, choices); });
  return write(child, out, max_out_size);
}
