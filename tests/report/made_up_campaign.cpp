#include "made_up_campaign.hpp"

#include <cmath>
#include <fmt/format.h>

#include "generate/choices.hpp"
#include "generate/compatibility.hpp"

namespace helixcheck {
namespace {

constexpr double kNight = 8 * 3600;

// A number of [0, 1) that looks random and is the same everywhere.
double noise(std::uint64_t i) {
  i = (i + 1) * 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
  i ^= i >> 27;
  return static_cast<double>(i >> 11) / 9007199254740992.0;
}

// What a night had come to after some seconds of searching.
Totals totals_after(double seconds) {
  Totals totals;
  totals.seconds = seconds;
  totals.busy_seconds = 15.1 * seconds;
  totals.cases = static_cast<std::uint64_t>(2150 * seconds + 400 * std::sin(seconds / 900) * 60);
  totals.subject_runs = totals.cases * 2 - totals.cases / 16;
  totals.unjudged = totals.cases / 210;
  totals.findings = (seconds > 41) + (seconds > 2900) + (seconds > 9100) + (seconds > 20400);
  totals.pairs = static_cast<std::uint64_t>(13440 * (1 - std::exp(-seconds / 300)));
  totals.tuples = static_cast<std::uint64_t>(702000 * (1 - std::exp(-seconds / 6000)));
  totals.behaviours = static_cast<std::uint64_t>(96 * std::log1p(seconds / 60));
  totals.interesting = static_cast<std::uint64_t>(540 * std::log1p(seconds / 30));
  totals.restarts = static_cast<std::uint64_t>(seconds / 1300);
  totals.worst_ratio = seconds > 41 ? 65877.4 : 1;
  return totals;
}

CampaignRecord campaign(std::int64_t id) {
  CampaignRecord record;
  record.id = id;
  record.command =
      "helixcheck fuzz --subject ./build/libdcp_attention.so --time 8h --jobs 16 "
      "--store nightly.db";
  record.subject = "./build/libdcp_attention.so";
  record.contract = "bf16_fp32";
  record.world = "sim";
  record.seed = id == 3 ? kLargeSeed : static_cast<std::uint64_t>(id);
  record.jobs = 16;
  record.budget_seconds = kNight;
  record.commit =
      fmt::format("{:012x}", 0x9c41d7e03ab5u + 0x1111111111u * static_cast<unsigned>(id));
  record.host = "attn-ci-04";
  record.machine = "AMD EPYC 9354 (32 cores), 2 x NVIDIA H100 80GB HBM3";
  record.started = fmt::format("2026-11-{:02}T22:00:04Z", 18 + id);
  record.ended = fmt::format("2026-11-{:02}T06:00:09Z", 19 + id);
  record.state = id == 2 ? "interrupted" : "finished";
  record.totals = totals_after(id == 2 ? 11213 : kNight);
  record.next_case = record.totals.cases + 211;
  return record;
}

FindingRecord value_finding() {
  FindingRecord finding;
  finding.id = 1;
  finding.signature = "equivalence/dcp_attention/value/attend";
  finding.property = "equivalence";
  finding.subject = "dcp_attention";
  finding.kind = "value";
  finding.stage = "attend";
  finding.state = "confirmed";
  finding.first_seen = "2026-11-19T22:00:51Z";
  finding.last_seen = "2026-11-22T05:58:12Z";
  finding.first_commit = "9c52e8f14bc6";
  finding.last_commit = "9c750b316de8";
  finding.first_campaign = 1;
  finding.last_campaign = 3;
  finding.count = 48211;
  finding.case_index = 10;
  finding.blame =
      "step 1: attend wrote partial_o 0 for request 0, row 0, head 1, element 0 on rank 2; "
      "expected "
      "-0.966308594 +- 1.5e-06 before rounding";
  finding.explanation =
      "any batch, entry != merge, dtype == fp16, kvp >= 3, kv_cache_tokens_per_block >= 2, "
      "decode_owner == last, observe == all";
  finding.scenario_file = R"({"schema": 1, "name": "equivalence_attend_047604bf", "problem":
    {"entry": "core", "num_heads": 3, "kv_lora_rank": 1, "qk_nope_head_dim": 1,
     "qk_rope_head_dim": 2, "dtype": "fp16", "kv_cache_dtype": "fp16", "ctx_len": 0,
     "data": {"seed": "18446744073709551557"}},
    "layout": {"kvp": 3, "kv_cache_tokens_per_block": 2}})";
  finding.replay =
      "helixcheck run --entry core --num-heads 3 --kv-lora-rank 1 --qk-nope-head-dim 1 "
      "--qk-rope-head-dim 2 --dtype fp16 --kv-cache-dtype fp16 --ctx-len 0 --kvp 3 "
      "--kv-cache-tokens-per-block 2 --subject ./build/libdcp_attention.so";
  finding.file = "corpus/regressions/equivalence_attend_047604bf.json";
  finding.shrink_evaluations = 391;
  finding.locally_minimal = true;
  return finding;
}

FindingRecord like(const FindingRecord& model, std::int64_t id, const char* property,
                   const char* kind, const char* stage) {
  FindingRecord finding = model;
  finding.id = id;
  finding.property = property;
  finding.kind = kind;
  finding.stage = stage;
  finding.signature =
      fmt::format("{}/{}/{}/{}", property, finding.subject, kind, *stage == '\0' ? "-" : stage);
  finding.file = fmt::format("corpus/regressions/{}_{}_{:08x}.json", property,
                             *stage == '\0' ? "run" : stage, 0x51a3c0 * id);
  finding.first_campaign = finding.last_campaign = 3;
  finding.first_seen = finding.last_seen = "2026-11-22T00:31:40Z";
  return finding;
}

std::vector<FindingRecord> findings() {
  std::vector<FindingRecord> all{value_finding()};
  FindingRecord crash = like(all[0], 2, "instance_life", "crash", "");
  crash.blame = "the worker was ended by signal 11 (segmentation fault) in attend";
  crash.note = "fails only after one other scenario, which the file holds as well";
  crash.output =
      fmt::format("==4711== attend: page 17 of 16\n{}\n\x1b[31mfatal\x1b[0m\n", kHostileText);
  crash.scenario_file = R"({"schema": 1, "problem": {"ctx_len": 9}, "before": [{"schema": 1}]})";
  crash.count = 3;
  FindingRecord related = like(all[0], 3, "page_order", "relation", "combine");
  related.blame = fmt::format("combined differs in 3 of 12 values: {}", kHostileText);
  related.state = "unconfirmed";
  related.note = "ended by the time for shrinking (60 s)";
  related.locally_minimal = false;
  related.count = 17;
  related.file.clear();
  FindingRecord changing = like(all[0], 4, "repetition", "nondeterminism", "exchange");
  changing.blame =
      "two runs of one scenario differ: output 0.125 and 0.1328125 at request 1, row 0";
  changing.state = "nondeterminism";
  changing.first_campaign = 1;
  changing.last_campaign = 2;
  changing.first_seen = "2026-11-20T01:12:09Z";
  changing.last_seen = "2026-11-20T23:47:30Z";
  changing.explanation.clear();
  FindingRecord hang = like(all[0], 5, "equivalence", "hang", "exchange");
  hang.blame = "rank 1 has waited in exchange for 20 s, the others wait in combine";
  hang.scenario_file = "not JSON";
  hang.shrink_evaluations = 0;
  hang.state = "new";
  hang.count = 1;
  all.insert(all.end(), {crash, related, changing, hang});
  return all;
}

// Each finding in the first and the last of its campaigns.
std::vector<SightingRecord> sightings(const std::vector<FindingRecord>& findings) {
  std::vector<SightingRecord> all;
  for (const FindingRecord& finding : findings) {
    const std::uint64_t first = finding.count / 3;
    if (finding.first_campaign != finding.last_campaign) {
      all.push_back({finding.signature, finding.first_campaign, first, finding.case_index,
                     finding.first_seen, finding.first_seen, finding.first_commit,
                     finding.first_commit});
    }
    all.push_back(
        {finding.signature, finding.last_campaign,
         finding.first_campaign != finding.last_campaign ? finding.count - first : finding.count,
         finding.case_index, finding.last_seen, finding.last_seen, finding.last_commit,
         finding.last_commit});
  }
  return all;
}

std::vector<TapRecord> taps() {
  std::vector<TapRecord> all;
  std::uint64_t i = 0;
  for (const char* name : {"output", "position", "slot", "visible", "q_a", "q_c", "q_nope", "q",
                           "kv_c", "latent", "cache_rows", "partial_o", "lse", "exchanged",
                           "combined", "combined_lse", "v_up", "o_partial"}) {
    TapRecord tap{3, name, 0.99981, {}};
    const std::string text = name;
    const bool exact =
        text == "position" || text == "slot" || text == "visible" || text == "exchanged";
    tap.cases[-60] = exact ? 61000000u : static_cast<std::uint64_t>(2e6 * noise(i++));
    for (int bucket = exact ? 0 : -14; bucket < 0; ++bucket) {
      tap.cases[bucket] =
          static_cast<std::uint64_t>(3e7 * std::exp2(bucket / 1.3) * (0.5 + noise(i++)));
    }
    if (exact) tap.worst_ratio = 0;
    if (text == "cache_rows") tap.worst_ratio = 1;
    if (text == "partial_o" || text == "combined" || text == "combined_lse") {
      for (int bucket = 0; bucket < 14; bucket += 2)
        tap.cases[bucket] = 2u + static_cast<unsigned>(bucket) * 90u;
      tap.worst_ratio = text == "combined_lse" ? INFINITY : 14877.4;
    }
    all.push_back(tap);
  }
  return all;
}

std::vector<PairRecord> pairs() {
  std::vector<PairRecord> all;
  const Compatibility& compatibility = Compatibility::get();
  std::uint64_t i = 0;
  const auto share = [](std::size_t level) { return std::exp2(-6 * noise(7919 * level)); };
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      if (a != b && (!compatibility.together(a, b) || noise(++i) < 0.0018)) continue;
      const double count = 2e6 * share(a) * (a == b ? 1 : share(b)) * (0.7 + 0.6 * noise(++i));
      all.push_back({3, level_text(a), level_text(b), static_cast<std::uint64_t>(count) + 1});
    }
  }
  return all;
}

std::vector<CaseRecord> cases() {
  std::vector<CaseRecord> all;
  for (std::uint64_t i = 0; i < 900; ++i) {
    CaseRecord one;
    one.campaign = 3;
    one.index = i * 68801;
    one.time = "2026-11-22T01:02:03Z";
    one.property = i % 3 == 0 ? "equivalence" : "page_order";
    one.status = i % 240 == 7 ? "failed" : i % 57 == 3 ? "unjudged" : "passed";
    one.origin = i % 4 == 0 ? "series" : i % 4 == 3 ? "crossover" : "mutation";
    one.tap = one.status == "unjudged" ? "" : i % 2 == 0 ? "partial_o" : "lse";
    one.ratio = one.status == "failed" ? 40.5 * static_cast<double>(i) : noise(i);
    one.seconds = 180e-6 + 4e-3 * std::pow(noise(i), 6);
    one.scenario = R"({"schema": 1, "name": "</script><b>case", "problem": {"ctx_len": 5}})";
    all.push_back(one);
  }
  return all;
}

}  // namespace

CampaignView made_up_campaign() {
  CampaignView view;
  view.store = "nightly.db";
  view.made = "2026-11-22T06:00:12Z";
  view.campaigns = {campaign(1), campaign(2), campaign(3)};
  view.chosen = 2;
  view.findings = findings();
  view.sightings = sightings(view.findings);
  for (double seconds = 15; seconds < kNight; seconds += 15) {
    view.progress.push_back({3, "2026-11-22T01:00:00Z", totals_after(seconds)});
    view.progress.back().totals.cases +=
        static_cast<std::uint64_t>(3000 * noise(static_cast<std::uint64_t>(seconds)));
  }
  view.taps = taps();
  view.pairs = pairs();
  view.cases = cases();
  for (std::uint64_t i = 0; i < 140; ++i) {
    view.interesting.push_back(
        {3,
         i * i * 300,
         {},
         "equivalence",
         {},
         i % 3 == 0 ? "lse 2^-1" : fmt::format("{} new triples", 1 + i % 7)});
  }
  view.events = {{3, "2026-11-21T22:41:07Z", "worker 4 was restarted: signal 11"},
                 {3, "2026-11-22T03:02:55Z",
                  "corpus/regressions: No space left on device; findings are in the store only"}};
  return view;
}

CampaignView made_up_empty_campaign() {
  CampaignView view;
  view.store = "new.db";
  view.made = "2026-11-22T06:00:12Z";
  view.campaigns.resize(1);
  view.campaigns[0].id = 1;
  view.campaigns[0].subject = "cpu";
  view.campaigns[0].state = "running";
  view.campaigns[0].started = "2026-11-22T06:00:11Z";
  return view;
}

}  // namespace helixcheck
