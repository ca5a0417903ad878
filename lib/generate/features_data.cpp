// Features of the values: families, heavy keys, gains.

#include <algorithm>
#include <array>

#include "generate/feature_groups.hpp"
#include "generate/heavy_keys.hpp"

namespace helixcheck::feature_groups {
namespace {

Data& data(Draft& d) {
  return d.scenario.problem.data;
}

// The pairs of the null test cancel only if their codes are exact.
void set_family(Draft& d, Family family) {
  data(d).family = family;
  if (family == Family::null_test && d.scenario.problem.kv_scale != 1) {
    d.scenario.problem.kv_scale = 0.0625;
  }
}

constexpr std::array kFamily{
    Level{"uniform", 10, [](Draft& d) { set_family(d, Family::uniform); }},
    Level{"constant", 1, [](Draft& d) { set_family(d, Family::constant); }},
    Level{"shard_constant", 2, [](Draft& d) { set_family(d, Family::shard_constant); }},
    Level{"integers", 1, [](Draft& d) { set_family(d, Family::integers); }},
    Level{"one_hot", 2, [](Draft& d) { set_family(d, Family::one_hot); }},
    Level{"null_test", 2, [](Draft& d) { set_family(d, Family::null_test); }},
};

constexpr std::array kGain{
    Level{"1", 4, [](Draft&) {}},
    Level{"0.1 to 0.3", 1,
          [](Draft& d) {
            data(d).logit_gain = d.choices.of({0.1, 0.2, 0.3});
          }},
    Level{"3", 2, [](Draft& d) { data(d).logit_gain = 3; }},
    Level{"30", 1, [](Draft& d) { data(d).logit_gain = 30; }},
    Level{"100", 1, [](Draft& d) { data(d).logit_gain = 100; }},
};

void add_heavy(Draft& d, HeavyPlace place, int head) {
  const std::int64_t rank = d.choices.between(0, d.scenario.layout.kvp - 1);
  const double mass = d.choices.of({0.5, 0.7, 0.9});
  data(d).heavy.push_back(HeavyKey{place, head, static_cast<int>(rank), mass});
}

int any_head(Draft& d) {
  return static_cast<int>(d.choices.between(0, d.scenario.problem.num_heads - 1));
}

constexpr std::array kHeavyPlaces{HeavyPlace::newest,     HeavyPlace::shard_first,
                                  HeavyPlace::shard_last, HeavyPlace::page_first,
                                  HeavyPlace::page_last,  HeavyPlace::key_zero};

constexpr std::array kHeavy{
    Level{"none", 3, [](Draft&) {}},
    Level{"key_zero", 1, [](Draft& d) { add_heavy(d, HeavyPlace::key_zero, any_head(d)); }},
    Level{"newest", 2, [](Draft& d) { add_heavy(d, HeavyPlace::newest, any_head(d)); }},
    Level{"shard_first", 1, [](Draft& d) { add_heavy(d, HeavyPlace::shard_first, any_head(d)); }},
    Level{"shard_last", 1, [](Draft& d) { add_heavy(d, HeavyPlace::shard_last, any_head(d)); }},
    Level{"page_first", 1, [](Draft& d) { add_heavy(d, HeavyPlace::page_first, any_head(d)); }},
    Level{"page_last", 1, [](Draft& d) { add_heavy(d, HeavyPlace::page_last, any_head(d)); }},
    Level{"one a head", 1,
          [](Draft& d) {
            const Problem& p = d.scenario.problem;
            const std::int64_t most = std::min(heavy_keys_with_room(p), std::int64_t{8});
            for (int head = 0; head < std::min(p.num_heads, most); ++head) {
              add_heavy(d, kHeavyPlaces[static_cast<std::size_t>(head) % kHeavyPlaces.size()],
                        head);
            }
          }},
};

constexpr std::array kLseGap{
    Level{"0", 6, [](Draft&) {}},
    Level{"1 to 5", 1,
          [](Draft& d) { data(d).lse_gap = static_cast<double>(d.choices.between(1, 5)); }},
    Level{"one rank has all", 1,
          [](Draft& d) {
            data(d).lse_gap = d.choices.of({30.0, -30.0, 20.0});
          }},
    Level{"beyond 88", 1,
          [](Draft& d) {
            data(d).lse_gap = d.choices.of({90.0, -90.0, 104.0, 110.0});
          }},
};

constexpr std::array kRopeGain{
    Level{"1", 5, [](Draft&) {}},
    Level{"16", 1, [](Draft& d) { data(d).k_pe_gain = 16; }},
    Level{"64", 1, [](Draft& d) { data(d).k_pe_gain = 64; }},
};

constexpr std::array kEqualRequests{
    Level{"no", 6, [](Draft&) {}},
    Level{"yes", 1, [](Draft& d) { data(d).equal_requests = true; }},
};

// Weights, keys and everything else that is drawn follow from the seed.
constexpr std::array kSeed{
    Level{"any", 4, [](Draft& d) { data(d).seed = d.choices.below(std::uint64_t{1} << 32); }},
    Level{"above 2^53", 1,
          [](Draft& d) {
            data(d).seed = ~std::uint64_t{0} - d.choices.below(std::uint64_t{1} << 62);
          }},
};

constexpr std::array kData{
    Feature{"family", true, true, true, kFamily},
    Feature{"logit_gain", true, true, true, kGain},
    Feature{"heavy", false, true, true, kHeavy},
    Feature{"lse_gap", false, true, true, kLseGap},
    Feature{"k_pe_gain", false, true, true, kRopeGain},
    Feature{"equal_requests", true, true, true, kEqualRequests},
    Feature{"seed", true, true, true, kSeed},
};

}  // namespace

std::span<const Feature> data() {
  return kData;
}

}  // namespace helixcheck::feature_groups
