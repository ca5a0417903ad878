// Stage `attend`: absorbed attention over this rank's own keys, in tiles with a running maximum.
//
// Scores, probabilities and sums are fp32. A row stops at its own visible count; keys beyond it,
// whose memory may hold anything, are never read.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

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

std::int64_t lane_stride(const Work& w) {
  return kLanes + padded(w.latent);
}

Lane lane_at(const Work& w, std::int64_t lane) {
  return {w.scratch.sums.data() + lane * lane_stride(w)};
}

float* values_of(Lane lane) {
  return lane.data + kLanes;
}

void load_queries(const Work& w) {
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
    state.maximum() = kMinusInfinity;
  }
}

// Widens the rows begin .. begin + count of the request's local list, through the page table.
void load_keys(const Work& w, std::int64_t begin, std::int64_t count) {
  const std::int64_t page = w.step.place->tokens_per_block;
  const auto scale = static_cast<float>(w.step.model->kv_scale);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t local = begin + i;
    const std::int64_t id = int_at(w.step.block_table, w.request, local / page);
    float* row = w.scratch.keys.data() + i * w.ld;
    decode_to(dtype_of(w.step.cache), at(w.step.cache, id, local % page),
              {row, static_cast<std::size_t>(w.width)});
    std::fill(row + w.width, row + w.ld, 0.0f);
    if (scale != 1.0f) {
      for (std::int64_t j = 0; j < w.width; ++j) row[j] *= scale;
    }
  }
}

// Turns one lane's scores of a tile into probabilities relative to the new running maximum.
void update_lane(const Work& w, std::int64_t lane, std::int64_t count) {
  Lane state = lane_at(w, lane);
  float* scores = w.scratch.scores.data() + lane * kTile;
  const auto scale = static_cast<float>(w.step.model->softmax_scale);
  float top = state.maximum();
  for (std::int64_t i = 0; i < count; ++i) {
    scores[i] *= scale;
    top = std::max(top, scores[i]);
  }
  const float shrink = top == kMinusInfinity ? 1.0f : std::exp(state.maximum() - top);
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    scores[i] = std::exp(scores[i] - top);
    sum += scores[i];
  }
  if (w.round_p) {
    const auto dtype = static_cast<Dtype>(w.step.model->dtype);
    for (std::int64_t i = 0; i < count; ++i) {
      scores[i] = static_cast<float>(round_to(dtype, scores[i]));
    }
  }
  state.sum() = state.sum() * shrink + sum;
  state.maximum() = top;
  if (shrink != 1.0f) {
    float* values = values_of(state);
    for (std::int64_t j = 0; j < w.latent; ++j) values[j] *= shrink;
  }
}

void attend_tile(const Work& w, std::int64_t begin, std::int64_t count) {
  load_keys(w, begin, count);
  float* scores = w.scratch.scores.data();
  kernels().product(w.scratch.input.data(), w.ld, w.scratch.keys.data(), w.ld, scores, kTile,
                    w.lanes, count, w.ld);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int64_t seen =
        std::clamp<std::int64_t>(int_at(w.step.visible, w.first_row + r) - begin, 0, count);
    if (seen == 0) continue;
    const std::int64_t lane = r * w.heads;
    for (std::int64_t h = 0; h < w.heads; ++h) update_lane(w, lane + h, seen);
    kernels().accumulate(scores + lane * kTile, kTile, w.scratch.keys.data(), w.ld,
                         values_of(lane_at(w, lane)), lane_stride(w), w.heads, seen,
                         padded(w.latent));
  }
}

void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head, float maximum,
                      float sum) {
  float* lse = &float_at(step.lse, row, head);
  switch (step.place->lse_form) {
    case HXC_LSE_LN: *lse = maximum + std::log(sum); break;
    case HXC_LSE_LOG2: *lse = (maximum + std::log(sum)) * std::numbers::log2e_v<float>; break;
    default: lse[0] = maximum; lse[step.lse.stride[2]] = sum;
  }
}

void write_empty(const hxc_step& step, std::int64_t row) {
  const auto row_bytes =
      static_cast<std::size_t>(step.model->kv_lora_rank * element_bytes(step.partial_o));
  for (std::int64_t h = 0; h < step.place->heads; ++h) {
    std::fill_n(at(step.partial_o, row, h), row_bytes, std::byte{0});
    float* lse = &float_at(step.lse, row, h);
    *lse = kMinusInfinity;
    if (step.place->lse_form == HXC_LSE_MAX_SUM) lse[step.lse.stride[2]] = 0.0f;
  }
}

void write_row(const Work& w, std::int64_t r) {
  const std::int64_t row = w.first_row + r;
  if (int_at(w.step.visible, row) == 0) return write_empty(w.step, row);
  for (std::int64_t h = 0; h < w.heads; ++h) {
    Lane state = lane_at(w, r * w.heads + h);
    float* values = values_of(state);
    for (std::int64_t j = 0; j < w.latent; ++j) values[j] /= state.sum();
    encode_from(dtype_of(w.step.partial_o), {values, static_cast<std::size_t>(w.latent)},
                at(w.step.partial_o, row, h));
    write_statistics(w.step, row, h, state.maximum(), state.sum());
  }
}

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
                 int_at(step.local_len, request)};
    if (rows > 0) {
      load_queries(w);
      for (std::int64_t begin = 0; begin < w.keys; begin += kTile) {
        attend_tile(w, begin, std::min(kTile, w.keys - begin));
      }
      for (std::int64_t r = 0; r < rows; ++r) write_row(w, r);
    }
    row += rows;
  }
  for (; row < step.rows; ++row) write_empty(step, row);
}

}  // namespace

int attend(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    attend_rank(*ranks[i], self.scratch, self.variant.round_p);
  }
  return 0;
}

}  // namespace helixcheck::cpu
