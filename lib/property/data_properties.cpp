// The share is computed from the values as stored, not from those that were wanted.

#include "property/data_properties.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "generate/case.hpp"
#include "generate/heavy_keys.hpp"
#include "generate/heavy_share.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

constexpr double kLeastShare = 0.3;
constexpr double kWantedMass = 0.5;
constexpr std::int64_t kLongest = 65536;

Failure light_key(const HeavyShare& light, const HeavyKey& key) {
  Blame blame;
  blame.place.request = light.request;
  blame.place.head = key.head;
  blame.sentence = fmt::format(
      "the key planted at {} (index {} of request {}) has {:.3g} of the softmax of head {}, but a "
      "heavy key must have at least {}",
      name_of(key.place), light.index, light.request, light.share, key.head, kLeastShare);
  return {"value", blame};
}

}  // namespace

bool heavy_mass_applies(const Scenario& scenario, const Subject&) {
  const Problem& p = scenario.problem;
  const std::vector<HeavyKey>& heavy = p.data.heavy;
  return p.entry == Entry::core && !heavy.empty() && std::ssize(heavy) <= heavy_keys_with_room(p) &&
         std::all_of(heavy.begin(), heavy.end(),
                     [](const HeavyKey& key) { return key.mass >= kWantedMass; }) &&
         *std::max_element(p.ctx_len.begin(), p.ctx_len.end()) <= kLongest;
}

PropertyResult check_heavy_mass(const Scenario& scenario, const Subject&, const RunOptions&) {
  PropertyResult result;
  const std::unique_ptr<Inputs> inputs = make_case(scenario);
  for (const HeavyShare& share : heavy_shares(*inputs)) {
    if (share.share >= kLeastShare) continue;
    result.failure = light_key(share, scenario.problem.data.heavy[share.key]);
    return result;
  }
  return result;
}

}  // namespace helixcheck
