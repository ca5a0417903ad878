// The built-in subjects are right, so no property may fail for them, at the strength the table
// publishes.

#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

#include "generate/scenario_draw.hpp"
#include "property/property.hpp"
#include "scenario/print.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

// HELIXCHECK_VARIATIONS: scenarios; HELIXCHECK_SEED: which series.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Seen {
  std::int64_t cases = 0, runs = 0, failures = 0;
  double seconds = 0, worst = 0;
};

// Families that the series does not draw.
Scenario scenario_at(std::uint64_t seed, std::uint64_t index) {
  Scenario s = draw_scenario(seed, index);
  Data& data = s.problem.data;
  if (s.problem.entry == Entry::merge && index % 3 == 0) data.family = Family::constant;
  if (s.problem.entry != Entry::core || data.family != Family::uniform) return s;
  if (!data.heavy.empty() || index % 4 != 0) return s;
  data.family = index % 8 == 0 ? Family::shard_constant : Family::constant;
  return s;
}

TEST(CleanRuns, NoPropertyFails) {
  const std::uint64_t count = from_environment("HELIXCHECK_VARIATIONS", 500);
  const std::uint64_t seed = from_environment("HELIXCHECK_SEED", 1);
  const char* only = std::getenv("HELIXCHECK_PROPERTY");
  const Subject plain(cpu::subject()), rounded(cpu::subject_p16());
  std::map<std::string_view, Seen> seen;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Scenario scenario = scenario_at(seed, i);
    const Subject& subject = i % 4 == 0 ? rounded : plain;
    for (const Property& property : properties().subspan(1)) {
      if (only != nullptr && property.name != only) continue;
      if (!property.applies(scenario, subject)) continue;
      const auto begin = std::chrono::steady_clock::now();
      const PropertyResult result = property.check(scenario, subject, {});
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
      Seen& sum = seen[property.name];
      ++sum.cases;
      sum.runs += result.subject_runs;
      sum.seconds += spent.count();
      for (const TapResult& tap : result.taps) sum.worst = std::max(sum.worst, tap.worst_ratio);
      if (!result.failure) continue;
      std::string arguments;
      for (const std::string& argument : print_arguments(scenario)) arguments += " " + argument;
      if (++sum.failures > 3) continue;
      ADD_FAILURE() << "scenario " << i << ": " << result.failure->kind << ": "
                    << result.failure->blame.sentence << "\n"
                    << arguments;
    }
  }
  for (const auto& [name, sum] : seen) {
    fmt::print("{:18} {:6} cases, {:6} runs, {:6.0f} us a case, worst ratio {:.3g}\n", name,
               sum.cases, sum.runs, 1e6 * sum.seconds / static_cast<double>(sum.cases), sum.worst);
  }
  // All but equivalence, and `launch`, which needs a device.
  EXPECT_EQ(only != nullptr ? 1 : properties().size() - 2, seen.size());
}

// The built-in stages under another name: what is demanded of plug-ins, with the contract of one of
// which nothing is known.
TEST(CleanRuns, PlugInsPassToo) {
  static constexpr hxc_entry kEntries[] = {{HXC_PROJECT, HXC_PROJECT, cpu::project},
                                           {HXC_ATTEND, HXC_ATTEND, cpu::attend},
                                           {HXC_COMBINE, HXC_COMBINE, cpu::combine}};
  const hxc_subject& base = cpu::subject();
  const hxc_subject table{
      HXC_ABI_VERSION,      HXC_HOST,    "other", "unknown", 3, kEntries, base.create,
      base.workspace_bytes, base.destroy};
  const Subject subject(base, &table);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Scenario scenario = scenario_at(31, i);
    for (const Property& property : properties().subspan(1)) {
      if (!property.applies(scenario, subject)) continue;
      const PropertyResult result = property.check(scenario, subject, {});
      EXPECT_FALSE(result.failure) << "scenario " << i << ": " << result.failure->blame.sentence;
    }
  }
}

}  // namespace
}  // namespace helixcheck
