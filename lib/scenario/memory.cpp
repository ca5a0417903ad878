// How much memory a run holds at once. In double, which cannot overflow here and is exact enough
// for an estimate that rounds up.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "scenario/script.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

constexpr double kBase = 64.0 * 1024 * 1024;  // program, libraries, small tables
constexpr double kPromptChunk = 256;          // tokens projected at a time

// Of a device: context, libraries and their workspaces; most bytes of rows that the fp64 reference
// holds at once; most parts that attention cuts a row's keys into.
constexpr double kDeviceBase = 1024.0 * 1024 * 1024;
constexpr double kReferenceScratch = 2048.0 * 1024 * 1024;  // of keys, values and scores in fp64
constexpr double kReferencePrompt = 2048.0 * 1024 * 1024;   // of prompt rows and weights
constexpr double kMostSplits = 256;
constexpr double kDevicePromptChunk = 16384;  // tokens projected at a time on a device
constexpr double kBlockRounding = 1.25;       // most that a block grows when its size is rounded up

double code_bytes(Dtype dtype) {
  switch (dtype) {
    case Dtype::fp32: return 4;
    case Dtype::fp16:
    case Dtype::bf16: return 2;
    case Dtype::fp8_e4m3: return 1;
  }
  return 4;
}

// The dimensions as doubles, under the symbols of the shapes in mla/inputs.hpp.
struct Sizes {
  explicit Sizes(const Scenario& scenario)
      : D(static_cast<double>(scenario.problem.hidden_size)),
        H(static_cast<double>(scenario.problem.num_heads)),
        Rq(static_cast<double>(scenario.problem.q_lora_rank)),
        R(static_cast<double>(scenario.problem.kv_lora_rank)),
        N(static_cast<double>(scenario.problem.qk_nope_head_dim)),
        P(static_cast<double>(scenario.problem.qk_rope_head_dim)),
        Vd(static_cast<double>(scenario.problem.v_head_dim)),
        kvp(static_cast<double>(scenario.layout.kvp)),
        ranks(kvp * static_cast<double>(scenario.layout.tpa)),
        code(code_bytes(scenario.problem.dtype)) {}
  double D, H, Rq, R, N, P, Vd, kvp, ranks, code;
};

// What the script holds at its largest.
struct Load {
  double tokens = 0;    // of all requests, finished ones included
  double requests = 0;  // that ever were
  double longest = 0;   // tokens of one request
  double rows = 0;      // of one step, padding included
};

Load script_load(const Scenario& scenario) {
  Load load;
  Roster roster(scenario.problem);
  const std::vector<Step> script =
      scenario.script.empty() ? default_script(scenario.problem) : scenario.script;
  for (const Step& written : script) {
    const Step step = roster.written_out(written);
    roster.apply(step);
    const std::int64_t rows =
        std::accumulate(step.tokens.begin(), step.tokens.end(), scenario.layout.padding_rows);
    load.rows = std::max(load.rows, static_cast<double>(rows));
    double tokens = 0;
    for (const Roster::Request& request : roster.requests()) {
      tokens += static_cast<double>(request.tokens);
      load.longest = std::max(load.longest, static_cast<double>(request.tokens));
    }
    load.tokens = std::max(load.tokens, tokens);
  }
  load.requests = static_cast<double>(roster.requests().size());
  return load;
}

// Codes once, an fp64 copy for the reference, and fp32 copies of each rank's share: what is not cut
// by heads is held by every rank, what is cut by TPA by every KVP rank.
double weight_bytes(const Sizes& s) {
  const double replicated = s.Rq * s.D + (s.R + s.P) * s.D;
  const double query_in = s.Rq > 0 ? s.Rq : s.D;
  const double by_tpa = s.H * (s.N + s.P) * query_in + s.H * s.N * s.R;
  const double by_rank = s.H * s.Vd * s.R + s.D * s.H * s.Vd;
  const double all = replicated + by_tpa + by_rank;
  return all * (s.code + 8) + 4 * (replicated * s.ranks + by_tpa * s.kvp + by_rank);
}

// The pools of all ranks, their expected image, the rows read back, and the judge's mirror; where
// offsets need more than 31 bits, also the poison at the two places they wrap to. Addresses that
// are only reserved take no memory.
double cache_bytes(const Scenario& scenario, const Sizes& s, const Load& load) {
  const Layout& layout = scenario.layout;
  const auto page = static_cast<double>(layout.kv_cache_tokens_per_block);
  const auto stride = static_cast<double>(page_elements(scenario));
  const double pages_per_group = load.tokens / page + load.requests * s.kvp;
  const double pages = pages_per_group * static_cast<double>(layout.tpa) +
                       static_cast<double>(layout.spare_pages) * s.ranks;
  const double end = static_cast<double>(layout.page_id_base) * stride + pages * stride;
  const double copies = end > 0x1p31 ? 6 : 4;
  return copies * pages * stride * code_bytes(scenario.problem.kv_cache_dtype);
}

// One chunk of the prompt on all ranks: hidden states, kv_c and latent.
double prompt_bytes(const Sizes& s) {
  return kPromptChunk * (s.D + 2 * (s.R + s.P)) * s.ranks * (s.code + 4 + 8);
}

// Stage values of `rows` rows on all ranks: codes, fp32 and fp64.
double tap_bytes(const Sizes& s, double rows) {
  const double replicated = 2 * s.D + 2 * s.Rq + 2 * (s.R + s.P);
  const double by_tpa = s.H * (s.N + s.P) + s.H * (s.R + s.P) + s.H * (s.R + 2);
  const double by_rank = 2 * s.H * (s.R + 2) + s.H * s.Vd;
  return rows * (replicated * s.ranks + by_tpa * s.kvp + by_rank * s.kvp) * (s.code + 4 + 8);
}

// Codes of one rank's weights: what is not cut by heads, its TPA share, its own share.
double device_weight_bytes(const Sizes& s, double ranks_here) {
  const double replicated = s.Rq * s.D + (s.R + s.P) * s.D;
  const double query_in = s.Rq > 0 ? s.Rq : s.D;
  const double by_tpa = s.H * (s.N + s.P) * query_in + s.H * s.N * s.R;
  const double by_rank = s.H * s.Vd * s.R + s.D * s.H * s.Vd;
  const double tpa = s.ranks / s.kvp;
  const double one = replicated + by_tpa / tpa + by_rank / s.ranks;
  // Ranks of one device share the un-sharded tensors.
  return s.code * std::min(one * ranks_here, replicated + by_tpa + by_rank);
}

// The pools of the ranks that live on the device.
double device_cache_bytes(const Scenario& scenario, const Sizes& s, const Load& load,
                          double ranks_here) {
  const Layout& layout = scenario.layout;
  const auto page = static_cast<double>(layout.kv_cache_tokens_per_block);
  const auto stride = static_cast<double>(page_elements(scenario));
  // Generated tokens may all belong to one rank.
  const double pages = load.tokens / s.kvp / page + load.requests + load.rows / page +
                       static_cast<double>(layout.spare_pages);
  return ranks_here * pages * stride * code_bytes(scenario.problem.kv_cache_dtype);
}

// One buffer for each tensor of a step on one rank, sent and received copies, and the partial
// results of split attention in fp32.
double device_step_bytes(const Sizes& s, const Load& load, double ranks_here) {
  const double tpa = s.ranks / s.kvp;
  const double heads = s.H / tpa;
  const double values = 3 * s.D + 2 * s.Rq + 2 * (s.R + s.P) + heads * (s.N + s.P) +
                        heads * (s.R + s.P) + 4 * heads * (s.R + 2) + heads * s.Vd;
  const double lanes = load.rows * heads;
  // Keys are cut until the parts of all rows fill the device about twice.
  constexpr double kFullDevice = 512;
  const double blocks = std::max(1.0, load.rows * ranks_here * std::ceil(heads / 64));
  const double parts = std::min(
      {kMostSplits, std::ceil(load.longest / s.kvp / 64), 1 + std::ceil(kFullDevice / blocks)});
  return ranks_here * (load.rows * values * s.code + lanes * parts * (s.R + 2) * 4);
}

// What the judge keeps on the device: rows of one request as codes and, a piece at a time, in fp64;
// queries, scores and results of one request's rows.
double device_reference_bytes(const Scenario& scenario, const Sizes& s, const Load& load,
                              double rows_per_request) {
  const double keys = std::ceil(load.longest / s.kvp) + load.rows;
  const double lanes = rows_per_request * s.H;
  const double wide = keys * ((2 * s.R + s.P) + lanes) * 8;
  const double codes = keys * (s.R + s.P) * code_bytes(scenario.problem.kv_cache_dtype);
  const double prompt = std::min(load.longest, kDevicePromptChunk) * (s.D + 3 * (s.R + s.P)) * 8;
  return codes + std::min(wide, kReferenceScratch) + std::min(prompt, kReferencePrompt) +
         8 * lanes * 4 * (s.R + s.P);
}

std::int64_t saturated(double bytes) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return bytes >= static_cast<double>(kMost) ? kMost : static_cast<std::int64_t>(bytes);
}

}  // namespace

std::int64_t memory_need_bytes(const Scenario& scenario) {
  const Sizes sizes(scenario);
  double bytes = kBase;
  if (scenario.problem.entry == Entry::merge) {
    bytes += tap_bytes(sizes, static_cast<double>(scenario.problem.batch()));
  } else {
    const Load load = script_load(scenario);
    const double rows_per_request = std::min(load.rows, 8.0);
    if (scenario.problem.entry == Entry::layer) bytes += weight_bytes(sizes);
    bytes += cache_bytes(scenario, sizes, load);
    bytes += prompt_bytes(sizes) + tap_bytes(sizes, load.rows);
    bytes += 8 * sizes.H * load.longest * rows_per_request;  // scores, one request at a time
  }
  return saturated(bytes);
}

std::int64_t device_memory_need_bytes(const Scenario& scenario, std::int64_t ranks_here) {
  const Sizes sizes(scenario);
  const auto here = static_cast<double>(ranks_here);
  if (scenario.problem.entry == Entry::merge) {
    return saturated(kDeviceBase + tap_bytes(sizes, static_cast<double>(scenario.problem.batch())));
  }
  double bytes = 0;
  const Load load = script_load(scenario);
  if (scenario.problem.entry == Entry::layer) {
    bytes += device_weight_bytes(sizes, here);
    const double chunk = std::min(kDevicePromptChunk, std::ceil(load.longest / sizes.kvp));
    bytes += chunk * (sizes.D + 2 * (sizes.R + sizes.P)) * sizes.code * here;
  }
  bytes += device_cache_bytes(scenario, sizes, load, here);
  bytes += device_step_bytes(sizes, load, here);
  bytes += device_reference_bytes(scenario, sizes, load, std::min(load.rows, 8.0));
  return saturated(kDeviceBase + kBlockRounding * bytes);
}

}  // namespace helixcheck
