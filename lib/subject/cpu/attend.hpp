// Stage `attend` as a template of its decisions, so that a mutant replaces exactly one of them.
//
// Scores, probabilities and sums are fp32. A row stops at its own visible count; keys beyond it,
// whose memory may hold anything, are never read.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

struct AttendDecisions {
  static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

  // How many of the request's rows on this rank are read.
  static std::int64_t keys(const hxc_step& step, std::int64_t request) {
    return int_at(step.local_len, request);
  }
  static std::int64_t visible(const hxc_step& step, std::int64_t row) {
    return int_at(step.visible, row);
  }
  // Of a tile of `count` keys, of which a row sees the first `seen`, those that enter its value
  // product: with probability zero if it does not see them.
  static std::int64_t multiplied(std::int64_t seen, std::int64_t) { return seen; }
  static const std::byte* key(const hxc_step& step, std::int64_t request, std::int64_t local) {
    const std::int64_t page = step.place->tokens_per_block;
    return at(step.cache, int_at(step.block_table, request, local / page), local % page);
  }
  // What a cache code of 1 stands for.
  static float unit(const hxc_model& model) { return static_cast<float>(model.kv_scale); }
  static float score_scale(const hxc_model& model) {
    return static_cast<float>(model.softmax_scale);
  }
  static float add(float sum, float probability) { return sum + probability; }
  // Attended values, before they are stored.
  static void finish(const hxc_model&, float*, std::int64_t) {}

  // A row that sees keys.
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    float* lse = &float_at(step.lse, row, head);
    switch (step.place->lse_form) {
      case HXC_LSE_LN: *lse = maximum + std::log(sum); break;
      case HXC_LSE_LOG2: *lse = (maximum + std::log(sum)) * std::numbers::log2e_v<float>; break;
      default: lse[0] = maximum; lse[step.lse.stride[2]] = sum;
    }
  }

  // A row that sees none.
  static void write_empty(const hxc_step& step, std::int64_t row) {
    const auto row_bytes =
        static_cast<std::size_t>(step.model->kv_lora_rank * element_bytes(step.partial_o));
    for (std::int64_t h = 0; h < step.place->heads; ++h) {
      std::fill_n(at(step.partial_o, row, h), row_bytes, std::byte{0});
      float* lse = &float_at(step.lse, row, h);
      *lse = kMinusInfinity;
      if (step.place->lse_form == HXC_LSE_MAX_SUM) lse[step.lse.stride[2]] = 0.0f;
    }
  }
};

// Everything about one request on one rank: `lanes` = its rows x heads, row-major.
struct Work {
  const hxc_step& step;
  Scratch& scratch;
  bool round_p;
  std::int64_t request, first_row, rows;
  std::int64_t heads, lanes, latent, width, ld, keys;
};

// Running state of the softmax of each lane, in scratch.sums: maximum, sum, then R sums of values.
struct Lane {
  float* data;
  float& maximum() { return data[0]; }
  float& sum() { return data[1]; }
};

inline std::int64_t lane_stride(const Work& w) {
  return kLanes + padded(w.latent);
}

inline Lane lane_at(const Work& w, std::int64_t lane) {
  return {w.scratch.sums.data() + lane * lane_stride(w)};
}

inline float* values_of(Lane lane) {
  return lane.data + kLanes;
}

inline void load_queries(const Work& w) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::int64_t h = 0; h < w.heads; ++h) {
      float* row = w.scratch.input.data() + (r * w.heads + h) * w.ld;
      decode_to(dtype_of(w.step.q), at(w.step.q, w.first_row + r, h),
                {row, static_cast<std::size_t>(w.width)});
      std::fill(row + w.width, row + w.ld, 0.0f);
    }
  }
  for (std::int64_t lane = 0; lane < w.lanes; ++lane) {
    Lane state = lane_at(w, lane);
    std::fill(state.data, state.data + lane_stride(w), 0.0f);
    state.maximum() = AttendDecisions::kMinusInfinity;
  }
}

// Widens the rows begin .. begin + count of the request's local list, through the page table.
template <class Decisions>
void load_keys(const Work& w, std::int64_t begin, std::int64_t count) {
  const float unit = Decisions::unit(*w.step.model);
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = w.scratch.keys.data() + i * w.ld;
    decode_to(dtype_of(w.step.cache), Decisions::key(w.step, w.request, begin + i),
              {row, static_cast<std::size_t>(w.width)});
    std::fill(row + w.width, row + w.ld, 0.0f);
    if (unit != 1.0f) {
      for (std::int64_t j = 0; j < w.width; ++j) row[j] *= unit;
    }
  }
}

// Turns one lane's scores of a tile into probabilities relative to the new running maximum.
template <class Decisions>
void update_lane(const Work& w, std::int64_t lane, std::int64_t count) {
  Lane state = lane_at(w, lane);
  float* scores = w.scratch.scores.data() + lane * kTile;
  const float scale = Decisions::score_scale(*w.step.model);
  float top = state.maximum();
  for (std::int64_t i = 0; i < count; ++i) {
    scores[i] *= scale;
    top = std::max(top, scores[i]);
  }
  const float shrink =
      top == AttendDecisions::kMinusInfinity ? 1.0f : std::exp(state.maximum() - top);
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    scores[i] = std::exp(scores[i] - top);
    sum = Decisions::add(sum, scores[i]);
  }
  if (w.round_p) {
    const auto dtype = static_cast<Dtype>(w.step.model->dtype);
    for (std::int64_t i = 0; i < count; ++i) {
      scores[i] = static_cast<float>(round_to(dtype, scores[i]));
    }
  }
  state.sum() = Decisions::add(state.sum() * shrink, sum);
  state.maximum() = top;
  if (shrink != 1.0f) {
    float* values = values_of(state);
    for (std::int64_t j = 0; j < w.latent; ++j) values[j] *= shrink;
  }
}

template <class Decisions>
void attend_tile(const Work& w, std::int64_t begin, std::int64_t count) {
  load_keys<Decisions>(w, begin, count);
  float* scores = w.scratch.scores.data();
  kernels().product(w.scratch.input.data(), w.ld, w.scratch.keys.data(), w.ld, scores, kTile,
                    w.lanes, count, w.ld);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int64_t seen =
        std::clamp<std::int64_t>(Decisions::visible(w.step, w.first_row + r) - begin, 0, count);
    if (seen == 0) continue;
    const std::int64_t lane = r * w.heads;
    const std::int64_t multiplied = Decisions::multiplied(seen, count);
    for (std::int64_t h = 0; h < w.heads; ++h) {
      update_lane<Decisions>(w, lane + h, seen);
      std::fill_n(scores + (lane + h) * kTile + seen, multiplied - seen, 0.0f);
    }
    kernels().accumulate(scores + lane * kTile, kTile, w.scratch.keys.data(), w.ld,
                         values_of(lane_at(w, lane)), lane_stride(w), w.heads, multiplied,
                         padded(w.latent));
  }
}

template <class Decisions>
void write_row(const Work& w, std::int64_t r) {
  const std::int64_t row = w.first_row + r;
  if (Decisions::visible(w.step, row) == 0) return Decisions::write_empty(w.step, row);
  for (std::int64_t h = 0; h < w.heads; ++h) {
    Lane state = lane_at(w, r * w.heads + h);
    float* values = values_of(state);
    for (std::int64_t j = 0; j < w.latent; ++j) values[j] /= state.sum();
    Decisions::finish(*w.step.model, values, w.latent);
    encode_from(dtype_of(w.step.partial_o), {values, static_cast<std::size_t>(w.latent)},
                at(w.step.partial_o, row, h));
    Decisions::write_statistics(w.step, row, h, state.maximum(), state.sum());
  }
}

template <class Decisions>
void attend_rank(const hxc_step& step, Scratch& scratch, bool round_p) {
  const hxc_model& model = *step.model;
  const std::int64_t width = model.kv_lora_rank + model.qk_rope_head_dim;
  std::int64_t row = 0;
  for (std::int64_t request = 0; request < step.request_count; ++request) {
    const std::int64_t rows = step.requests[request].query_tokens;
    const Work w{step,
                 scratch,
                 round_p,
                 request,
                 row,
                 rows,
                 step.place->heads,
                 rows * step.place->heads,
                 model.kv_lora_rank,
                 width,
                 padded(width),
                 Decisions::keys(step, request)};
    if (rows > 0) {
      load_queries(w);
      for (std::int64_t begin = 0; begin < w.keys; begin += kTile) {
        attend_tile<Decisions>(w, begin, std::min(kTile, w.keys - begin));
      }
      for (std::int64_t r = 0; r < rows; ++r) write_row<Decisions>(w, r);
    }
    row += rows;
  }
  for (; row < step.rows; ++row) Decisions::write_empty(step, row);
}

template <class Decisions>
int attend_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    attend_rank<Decisions>(*ranks[i], self.scratch, self.variant.round_p);
  }
  return 0;
}

}  // namespace helixcheck::cpu
