// Values come from the case, code by code; nothing here computes.

#include "helix/step_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "mla/formats.hpp"

namespace helixcheck {

void fill_step_inputs(const Inputs& inputs, RankStates& ranks, std::span<const Row> rows) {
  const Problem& problem = inputs.problem();
  const auto item = static_cast<std::int64_t>(size_of(problem.dtype));
  const std::int64_t width = problem.kv_lora_rank + problem.qk_rope_head_dim;
  const bool layer = problem.entry == Entry::layer;
  const std::int64_t head_bytes = width * item;
  const std::int64_t row_bytes = layer ? problem.hidden_size * item : width * item;
  std::vector<std::byte> query(layer ? 0
                                     : static_cast<std::size_t>(problem.num_heads * head_bytes));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    std::byte* made = nullptr;
    for (auto& rank : ranks) {
      std::byte* to = layer ? rank->hidden() : rank->buffer(Tap::latent);
      to += row * row_bytes;
      if (made != nullptr) {
        std::memcpy(to, made, static_cast<std::size_t>(row_bytes));
      } else if (layer) {
        inputs.hidden(rows[i].token, 1, to);
      } else {
        inputs.latent(rows[i].token, rows[i].index, 1, to);
      }
      made = to;
    }
    if (layer) continue;
    inputs.query(rows[i], query.data());
    for (auto& rank : ranks) {
      const std::int64_t bytes = rank->place().heads * head_bytes;
      std::memcpy(rank->buffer(Tap::q) + row * bytes, query.data() + rank->place().tpa_rank * bytes,
                  static_cast<std::size_t>(bytes));
    }
  }
}

void fill_merge_inputs(const Inputs& inputs, const RankState& rank) {
  const Partials given = inputs.partials();
  std::copy(given.o.bytes.begin(), given.o.bytes.end(), rank.buffer(Tap::exchanged));
  const auto* lse = reinterpret_cast<const float*>(given.lse.bytes.data());
  auto* out = reinterpret_cast<float*>(rank.buffer(Tap::exchanged_lse));
  for (std::int64_t i = 0; i < given.lse.elements(); ++i) {
    switch (rank.layout().lse_form) {
      case LseForm::ln: out[i] = lse[i]; break;
      case LseForm::log2: out[i] = lse[i] * std::numbers::log2e_v<float>; break;
      case LseForm::max_sum:
        const float gauge = given.gauge.empty() ? 0.0f : given.gauge[static_cast<std::size_t>(i)];
        out[2 * i] = lse[i] - gauge;
        out[2 * i + 1] = std::isinf(lse[i]) ? 0.0f : std::exp(gauge);
    }
  }
}

}  // namespace helixcheck
