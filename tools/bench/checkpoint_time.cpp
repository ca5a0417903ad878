// How long a campaign waits for its store: a checkpoint (campaign, progress, 16 taps, 13,464 pairs
// as one change) while the counts grow, a finding, and the opening of a store of this size.

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <vector>

#include "run/stopwatch.hpp"
#include "store/store.hpp"

namespace {

using namespace helixcheck;

constexpr int kTaps = 16, kLevels = 169;
constexpr std::size_t kPairs = 13'464;

std::vector<PairRecord> all_pairs(std::int64_t campaign) {
  std::vector<PairRecord> pairs;
  for (int a = 0; a < kLevels; ++a) {
    for (int b = a; b < kLevels && pairs.size() < kPairs; ++b) {
      pairs.push_back({campaign, fmt::format("kv_cache_tokens_per_block {}", a),
                       fmt::format("kv_cache_tokens_per_block {}", b), 1});
    }
  }
  return pairs;
}

void measure(const char* what, int times, const std::function<void(int)>& act) {
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const Stopwatch watch;
    act(i);
    seconds.push_back(watch.seconds());
  }
  std::sort(seconds.begin(), seconds.end());
  fmt::print("{:<24} median {:7.2f} ms, slowest of {} {:7.2f} ms\n", what,
             1e3 * seconds[seconds.size() / 2], times, 1e3 * seconds.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_checkpoint NEW_STORE\n");
    return 2;
  }
  {
    Store store(argv[1]);
    CampaignRecord campaign;
    campaign.id = store.begin_campaign(campaign);
    std::vector<PairRecord> pairs = all_pairs(campaign.id);
    std::vector<TapRecord> taps;
    for (int t = 0; t < kTaps; ++t) taps.push_back({campaign.id, fmt::format("tap {}", t), 0, {}});
    measure("checkpoint", 200, [&](int i) {
      for (PairRecord& pair : pairs) pair.count += 7;
      for (TapRecord& tap : taps) tap.cases[-(i % 60)] += 1;
      campaign.totals.cases += 1000;
      store.write([&] {
        store.update_campaign(campaign);
        store.add_progress({campaign.id, "2026-11-22T20:15:03Z", campaign.totals});
        store.save_taps(taps);
        store.save_pairs(pairs);
      });
    });
    measure("without new pairs", 200, [&](int) { store.save_pairs(pairs); });
    FindingRecord finding;
    finding.last_campaign = campaign.id;
    finding.scenario_file = finding.output = std::string(4000, 'x');
    measure("finding", 200, [&](int i) {
      finding.signature = fmt::format("equivalence/cpu/value/{}", i);
      store.save_finding(finding);
    });
    CaseRecord run;
    run.campaign = campaign.id;
    run.scenario = std::string(1500, 'x');
    measure("1000 cases as one change", 100, [&](int) {
      store.write([&] {
        for (int i = 0; i < 1000; ++i) store.add_case(run);
      });
    });
  }
  measure("opening", 5, [&](int) { const Store store(argv[1]); });
  measure("opening to read", 5, [&](int) { const StoreReader store(argv[1]); });
}
