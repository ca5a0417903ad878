#include "bench/roofline.hpp"

#include <algorithm>
#include <cmath>

#include "mla/formats.hpp"

namespace helixcheck::bench {
namespace {

constexpr double kMatrixRows = 64;  // of one warp-group matrix instruction

double statistics_bytes(const Scenario& scenario) {
  return scenario.layout.lse_form == LseForm::max_sum ? 8 : 4;
}

}  // namespace

AttendWork attend_work(const Scenario& scenario, std::int64_t keys, std::int64_t ranks_here) {
  const Problem& p = scenario.problem;
  const auto batch = static_cast<double>(p.batch()), heads = static_cast<double>(p.num_heads);
  const auto latent = static_cast<double>(p.kv_lora_rank);
  const double width = latent + static_cast<double>(p.qk_rope_head_dim);
  const auto item = static_cast<double>(size_of(p.dtype));
  const double all_keys = batch * static_cast<double>(keys);
  const double lanes = batch * heads * static_cast<double>(ranks_here);
  AttendWork work;
  work.bytes = all_keys * width * static_cast<double>(size_of(p.kv_cache_dtype)) +
               lanes * (width * item + latent * item + statistics_bytes(scenario));
  work.flops = 2 * all_keys * heads * (width + latent);
  work.issued_flops = work.flops * std::ceil(heads / kMatrixRows) * kMatrixRows / heads;
  return work;
}

Roof roof_of(const AttendWork& work, const Rates& rates) {
  const double memory_s = work.bytes / rates.read_bytes_per_s;
  const double matrix_s = work.issued_flops / rates.bf16_flops;
  return {1e6 * std::max(memory_s, matrix_s), memory_s >= matrix_s};
}

double exchange_bytes(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  const auto peers = static_cast<double>(scenario.layout.kvp - 1);
  const double lanes = static_cast<double>(p.batch()) * static_cast<double>(p.num_heads) /
                       static_cast<double>(scenario.layout.kvp);
  const double value = static_cast<double>(p.kv_lora_rank) * static_cast<double>(size_of(p.dtype));
  return peers * lanes * (value + statistics_bytes(scenario));
}

}  // namespace helixcheck::bench
