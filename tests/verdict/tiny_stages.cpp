// The stages of one decode step, each from the stored values of the one before.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "scenario/ownership.hpp"
#include "tiny_run.hpp"

namespace helixcheck {
namespace {

using Values = std::vector<double>;

std::size_t index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// y [rows, out] = x w^T with the rows of w from `first` on.
Values linear(const Values& x, const Values& w, std::int64_t first, std::int64_t out,
              std::int64_t in) {
  const std::int64_t rows = std::ssize(x) / in;
  Values y(index(rows * out));
  stages::linear(x, std::span(w).subspan(index(first * in), index(out * in)), rows, in, out, y);
  return y;
}

}  // namespace

void TinyRun::plan(std::int64_t rank, const StepTaps& taps) {
  std::vector<std::int64_t> position, slot, visible, row_request, local_len, table;
  const Layout& layout = scenario_.layout;
  const std::int64_t page = layout.kv_cache_tokens_per_block, pages = 16;
  for (std::int64_t r = 0; r < std::ssize(taps.requests); ++r) {
    const RequestState& state = history_.request(taps.requests[index(r)].id);
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < state.tokens.size(); ++i) {
      count += owner_of(layout, i, state.prompt_len) == g_.kvp_rank(rank);
    }
    local_len.push_back(count);
    for (std::int64_t i = 0; i < pages; ++i) table.push_back(1000 + 17 * state.id + 3 * i);
  }
  for (const Row& row : taps.rows) {
    const std::int64_t prompt_len = history_.request(row.request).prompt_len;
    std::int64_t before = 0;
    for (std::int64_t i = 0; i < row.index; ++i) {
      before += owner_of(layout, i, prompt_len) == g_.kvp_rank(rank);
    }
    const bool mine = owner_of(layout, row.index, prompt_len) == g_.kvp_rank(rank);
    position.push_back(problem_.position_base + row.index);
    visible.push_back(before + (mine ? 1 : 0));
    row_request.push_back(row.slot);
    slot.push_back(mine ? table[index(row.slot * pages + before / page)] * page + before % page
                        : -1);
  }
  for (std::int64_t i = 0; i < taps.padding_rows; ++i) {
    position.push_back(0);
    slot.push_back(-1);
    visible.push_back(0);
    row_request.push_back(-1);
  }
  put_integers(rank, Tap::block_table, table, {std::ssize(taps.requests), pages});
  put_integers(rank, Tap::position, position, {std::ssize(position)});
  put_integers(rank, Tap::slot, slot, {std::ssize(slot)});
  put_integers(rank, Tap::local_len, local_len, {std::ssize(local_len)});
  put_integers(rank, Tap::visible, visible, {std::ssize(visible)});
  put_integers(rank, Tap::row_request, row_request, {std::ssize(row_request)});
}

// Padding rows are projected from zeros: nobody may look at them.
void TinyRun::project(std::int64_t rank, const StepTaps& taps) {
  std::vector<Token> tokens;
  std::vector<std::int64_t> positions;
  for (const Row& row : taps.rows) {
    tokens.push_back(row.token);
    positions.push_back(problem_.position_base + row.index);
  }
  Values hidden_rows = draw_hidden(tokens);
  const std::int64_t rows = std::ssize(taps.rows) + taps.padding_rows;
  hidden_rows.resize(index(rows * g_.hidden));
  positions.resize(index(rows));
  put(rank, Tap::kv_c, g_.dtype, {rows, g_.width},
      linear(hidden_rows, widen(inputs_.weights().kv_a), 0, g_.width, g_.hidden));
  put(rank, Tap::latent, g_.dtype, {rows, g_.width}, latent_rows(get(rank, Tap::kv_c), positions));
  project_query(rank, taps, hidden_rows);
}

void TinyRun::project_query(std::int64_t rank, const StepTaps& taps, const Values& hidden_rows) {
  const Weights& w = inputs_.weights();
  const std::int64_t rows = std::ssize(taps.rows) + taps.padding_rows;
  Values input = hidden_rows;
  std::int64_t in = g_.hidden;
  if (g_.q_lora > 0) {
    put(rank, Tap::q_a, g_.dtype, {rows, g_.q_lora},
        linear(hidden_rows, widen(w.q_a), 0, g_.q_lora, g_.hidden));
    const Values q_a = get(rank, Tap::q_a), norm = widen(w.q_a_norm);
    Values q_c(q_a.size());
    const std::size_t n = index(g_.q_lora);
    for (std::size_t row = 0; row < index(rows); ++row) {
      stages::rms_norm(std::span(q_a).subspan(row * n, n), norm, problem_.rms_norm_eps,
                       std::span(q_c).subspan(row * n, n));
    }
    put(rank, Tap::q_c, g_.dtype, {rows, g_.q_lora}, q_c);
    input = get(rank, Tap::q_c);
    in = g_.q_lora;
  }
  const std::int64_t per_head = g_.nope + g_.rope, out = g_.rank_heads * per_head;
  put(rank, Tap::q_nope, g_.dtype, {rows, g_.rank_heads, per_head},
      linear(input, widen(w.q_b), g_.tpa_rank(rank) * out, out, in));
  const Values q_nope = get(rank, Tap::q_nope), kv_b = widen(w.kv_b);
  Values q;
  for (std::int64_t lane = 0; lane < rows * g_.rank_heads; ++lane) {
    const std::int64_t row = lane / g_.rank_heads, head = lane % g_.rank_heads;
    const double* x = q_nope.data() + lane * per_head;
    const double* k_b =
        kv_b.data() + (g_.first_head(rank) + head) * (g_.nope + g_.value) * g_.latent;
    for (std::int64_t j = 0; j < g_.latent; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < g_.nope; ++i) sum += x[i] * k_b[i * g_.latent + j];
      q.push_back(sum);
    }
    Values pe(x + g_.nope, x + per_head);
    const std::int64_t position =
        row < std::ssize(taps.rows) ? problem_.position_base + taps.rows[index(row)].index : 0;
    stages::rope(pe, position, inputs_.rope(), problem_.rope_interleave);
    q.insert(q.end(), pe.begin(), pe.end());
  }
  put(rank, Tap::q, g_.dtype, {rows, g_.rank_heads, g_.width}, q);
}

void TinyRun::append(std::int64_t rank, const StepTaps& taps) {
  for (std::int64_t row = 0; row < std::ssize(taps.rows); ++row) {
    const Row& r = taps.rows[index(row)];
    const std::int64_t prompt_len = history_.request(r.request).prompt_len;
    if (owner_of(scenario_.layout, r.index, prompt_len) != g_.kvp_rank(rank)) continue;
    Values latent;
    if (problem_.entry == Entry::layer) {
      const Values all = get(rank, Tap::latent);
      latent.assign(all.begin() + row * g_.width, all.begin() + (row + 1) * g_.width);
    } else {
      Tensor codes(g_.dtype, {g_.width});
      inputs_.latent(r.token, r.index, 1, codes.bytes.data());
      latent = widen(codes);
    }
    store(r.request, rank, latent);
  }
  Shown& shown = shown_[index(rank)][static_cast<std::size_t>(Tap::cache_rows)];
  shown.view.present = true;
  shown.view.dtype = g_.kv_dtype;
  for (const StepRequest& request : taps.requests) {
    const Rows& rows = cache_[{request.id, rank}];
    shown.bytes.insert(shown.bytes.end(), rows.begin(), rows.end());
  }
  const std::int64_t values =
      std::ssize(shown.bytes) / static_cast<std::int64_t>(size_of(g_.kv_dtype));
  shown.view.shape = {values / g_.width, g_.width};
  put_integers(rank, Tap::cache_spare, {0, -1}, {2});
  put_integers(rank, Tap::cache_late, {0, -1}, {2});
}

void TinyRun::put_lse(Values& out, double lse) const {
  const double scale = scenario_.layout.lse_form == LseForm::log2 ? std::numbers::log2e : 1.0;
  if (scenario_.layout.lse_form != LseForm::max_sum) return out.push_back(lse * scale);
  out.push_back(std::isinf(lse) ? lse : std::floor(lse));
  out.push_back(std::isinf(lse) ? 0 : std::exp(lse - std::floor(lse)));
}

void TinyRun::attend(std::int64_t rank, const StepTaps& taps) {
  const std::int64_t rows = std::ssize(taps.rows) + taps.padding_rows;
  const std::int64_t per_row = g_.rank_heads * g_.width;
  Values o(index(rows * g_.rank_heads * g_.latent)), lse;
  std::int64_t row = 0;
  for (const StepRequest& request : taps.requests) {
    if (request.query_tokens == 0) continue;
    Values q(index(request.query_tokens * per_row));
    std::vector<std::int64_t> visible;
    for (std::int64_t i = 0; i < request.query_tokens; ++i) {
      visible.push_back(
          shown_[index(rank)][static_cast<std::size_t>(Tap::visible)].integer(row + i));
      Tensor codes(g_.dtype, {g_.heads, g_.width});
      Values all;
      if (problem_.entry == Entry::core) {
        inputs_.query(taps.rows[index(row + i)], codes.bytes.data());
        all = widen(codes);
        all.erase(all.begin(), all.begin() + g_.first_head(rank) * g_.width);
      } else {
        all = get(rank, Tap::q);
        all.erase(all.begin(), all.begin() + (row + i) * per_row);
      }
      std::copy_n(all.begin(), per_row, q.begin() + i * per_row);
    }
    const stages::CacheRows keys{g_.kv_dtype, problem_.kv_scale, cache_[{request.id, rank}].data()};
    const stages::AttendResult exact = stages::attend(q, keys, visible, g_.rank_heads, g_.latent,
                                                      g_.rope, inputs_.rope().softmax_scale);
    std::copy(exact.o.begin(), exact.o.end(), o.begin() + row * g_.rank_heads * g_.latent);
    for (const stages::AttendHead& head : exact.heads) put_lse(lse, head.lse);
    row += request.query_tokens;
  }
  for (std::int64_t i = 0; i < taps.padding_rows * g_.rank_heads; ++i) {
    put_lse(lse, -std::numeric_limits<double>::infinity());
  }
  put(rank, Tap::partial_o, g_.dtype, {rows, g_.rank_heads, g_.latent}, o);
  put(rank, Tap::lse, Dtype::fp32, {rows, g_.rank_heads, g_.lse_values}, lse);
}

void TinyRun::exchange(std::int64_t rank) {
  const auto move = [&](Tap from, Tap to, std::int64_t width, Dtype dtype) {
    Values out;
    std::int64_t rows = 0;
    for (std::int64_t peer = 0; peer < g_.kvp; ++peer) {
      const Values sent = get(g_.rank_of(g_.tpa_rank(rank), peer), from);
      const std::int64_t block = g_.owned_heads * width;
      rows = std::ssize(sent) / (block * g_.kvp);
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto begin = sent.begin() + (row * g_.kvp + g_.kvp_rank(rank)) * block;
        out.insert(out.end(), begin, begin + block);
      }
    }
    put(rank, to, dtype, {g_.kvp, rows, g_.owned_heads, width}, out);
  };
  move(Tap::partial_o, Tap::exchanged, g_.latent, g_.dtype);
  move(Tap::lse, Tap::exchanged_lse, g_.lse_values, Dtype::fp32);
}

void TinyRun::combine(std::int64_t rank) {
  const Values x = get(rank, Tap::exchanged), statistics = get(rank, Tap::exchanged_lse);
  const std::int64_t lanes = std::ssize(x) / (g_.kvp * g_.latent);
  Values combined(index(lanes * g_.latent)), combined_lse;
  Values magnitude(index(g_.latent)), spread(index(g_.latent));
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    Values parts, lse;
    for (std::int64_t p = 0; p < g_.kvp; ++p) {
      const double* s = statistics.data() + (p * lanes + lane) * g_.lse_values;
      switch (scenario_.layout.lse_form) {
        case LseForm::ln: lse.push_back(s[0]); break;
        case LseForm::log2: lse.push_back(s[0] * std::numbers::ln2); break;
        case LseForm::max_sum: lse.push_back(s[0] + std::log(s[1])); break;
      }
      const auto begin = x.begin() + (p * lanes + lane) * g_.latent;
      parts.insert(parts.end(), begin, begin + g_.latent);
    }
    combined_lse.push_back(stages::merge(
        parts, lse, g_.latent,
        std::span(combined).subspan(index(lane * g_.latent), index(g_.latent)), magnitude, spread));
  }
  const std::int64_t rows = lanes / g_.owned_heads;
  put(rank, Tap::combined, g_.dtype, {rows, g_.owned_heads, g_.latent}, combined);
  put(rank, Tap::combined_lse, Dtype::fp32, {rows, g_.owned_heads}, combined_lse);
}

void TinyRun::output() {
  const Values kv_b = widen(inputs_.weights().kv_b), o = widen(inputs_.weights().o);
  Values sum;
  std::int64_t rows = 0;
  for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
    const Values combined = get(rank, Tap::combined);
    rows = std::ssize(combined) / (g_.owned_heads * g_.latent);
    Values v_up;
    for (std::int64_t lane = 0; lane < rows * g_.owned_heads; ++lane) {
      const std::int64_t head = g_.first_owned(rank) + lane % g_.owned_heads;
      const Values x(combined.begin() + lane * g_.latent,
                     combined.begin() + (lane + 1) * g_.latent);
      const Values y = linear(x, kv_b, head * (g_.nope + g_.value) + g_.nope, g_.value, g_.latent);
      v_up.insert(v_up.end(), y.begin(), y.end());
    }
    put(rank, Tap::v_up, g_.dtype, {rows, g_.owned_heads, g_.value}, v_up);
    const Values stored = get(rank, Tap::v_up);
    const std::int64_t columns = g_.owned_heads * g_.value, width = g_.heads * g_.value;
    Values share;
    for (std::int64_t i = 0; i < rows * g_.hidden; ++i) {
      double y = 0;
      for (std::int64_t j = 0; j < columns; ++j) {
        y += stored[index(i / g_.hidden * columns + j)] *
             o[index(i % g_.hidden * width + g_.first_owned(rank) * g_.value + j)];
      }
      share.push_back(y);
    }
    put(rank, Tap::o_partial, g_.dtype, {rows, g_.hidden}, share);
    share = get(rank, Tap::o_partial);
    sum.resize(share.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share[i];
  }
  for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
    put(rank, Tap::output, g_.dtype, {rows, g_.hidden}, sum);
  }
}

void TinyRun::merge_step(Observer& observer, const Spoil& spoil) {
  const Partials given = inputs_.partials();
  shown_.assign(1, {});
  put(0, Tap::exchanged, g_.dtype, given.o.shape, widen(given.o));
  Values statistics;
  for (const double lse : widen(given.lse)) put_lse(statistics, lse);
  std::vector<std::int64_t> shape = given.lse.shape;
  shape.push_back(g_.lse_values);
  put(0, Tap::exchanged_lse, Dtype::fp32, shape, statistics);
  combine(0);
  if (spoil) spoil(0, shown_);
  StepTaps taps;
  taps.history = &history_;
  publish(taps);
  observer.on_step(taps);
}

}  // namespace helixcheck
