// Stage `project` as a template of its decisions, so that a mutant replaces exactly one of them.
//
// Norm statistics and rotations are fp32; cos and sin come from fp64 angles, rounded once.

#pragma once

#include <algorithm>
#include <cmath>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

// How the roped part of a query or of a key is rotated.
struct Rotation {
  static bool applies(const hxc_step&, std::int64_t) { return true; }
  static std::int64_t position(const hxc_step& step, std::int64_t row) {
    return int_at(step.position, row);
  }
  struct Angle {
    float cosine, sine;
  };
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    const double angle = static_cast<double>(position) * model.inv_freq[pair];
    return {static_cast<float>(std::cos(angle) * model.cos_scale),
            static_cast<float>(std::sin(angle) * model.cos_scale)};
  }
  static bool interleaved(const hxc_model& model) { return model.rope_interleave != 0; }
};

struct ProjectDecisions {
  using Query = Rotation;
  using Key = Rotation;
  // Whether this rank makes the absorbed query of the row.
  static bool makes_query(const hxc_step&, std::int64_t) { return true; }
  static const std::byte* latent_source(const hxc_step& step, std::int64_t row) {
    return at(step.kv_c, row);
  }
  static const std::byte* query_source(const hxc_step& step, std::int64_t row, std::int64_t head) {
    return at(step.q_nope, row, head);
  }
  // One head's nope part through k_b.
  static void absorb(const hxc_model& model, const float* nope, const Matrix& k_b, float* query) {
    kernels().product(nope, k_b.ld, k_b.data.data(), k_b.ld, query, model.kv_lora_rank, 1,
                      model.kv_lora_rank, k_b.ld);
  }
};

// Widened row -> x / sqrt(mean(x^2) + eps) * w, in place.
inline void normalise(float* x, std::int64_t n, const float* w, double eps) {
  float squares = 0;
  for (std::int64_t i = 0; i < n; ++i) squares += x[i] * x[i];
  const float mean = squares / static_cast<float>(n);
  const float inverse = 1.0f / std::sqrt(mean + static_cast<float>(eps));
  for (std::int64_t i = 0; i < n; ++i) x[i] = x[i] * inverse * w[i];
}

// cos and sin of a row's position, [P/2] each, one after the other.
template <class Decisions>
void angles(const hxc_step& step, std::int64_t row, float* cos_sin) {
  const hxc_model& model = *step.model;
  const std::int64_t pairs = model.qk_rope_head_dim / 2;
  const std::int64_t position = Decisions::position(step, row);
  for (std::int64_t j = 0; j < pairs; ++j) {
    const Rotation::Angle angle = Decisions::angle(model, position, j);
    cos_sin[j] = angle.cosine;
    cos_sin[pairs + j] = angle.sine;
  }
}

template <class Decisions>
void rotate(const hxc_model& model, const float* cos_sin, float* x) {
  const std::int64_t pairs = model.qk_rope_head_dim / 2;
  const bool interleaved = Decisions::interleaved(model);
  for (std::int64_t j = 0; j < pairs; ++j) {
    float& a = interleaved ? x[2 * j] : x[j];
    float& b = interleaved ? x[2 * j + 1] : x[j + pairs];
    const float c = cos_sin[j], s = cos_sin[pairs + j];
    const float rotated = a * c - b * s;
    b = a * s + b * c;
    a = rotated;
  }
}

inline void store_row(const hxc_tensor& to, std::byte* address, const float* row, std::int64_t n) {
  encode_from(dtype_of(to), {row, static_cast<std::size_t>(n)}, address);
}

// kv_c = W_kva x; latent = [RMSNorm(kv_c) | RoPE(k_pe)], the k_pe part not normed.
template <class Decisions>
void project_latent(const hxc_step& step, Rank& rank, Scratch& scratch, const float* hidden) {
  const hxc_model& model = *step.model;
  using Key = typename Decisions::Key;
  const std::int64_t latent = model.kv_lora_rank, width = latent + model.qk_rope_head_dim;
  project_rows(hidden, step.rows, *rank.weights.kv_a, scratch.result.data(), step.kv_c);
  float* row = scratch.narrow.data();
  float* cos_sin = row + padded(width);
  for (std::int64_t b = 0; b < step.rows; ++b) {
    decode_to(dtype_of(step.kv_c), Decisions::latent_source(step, b),
              {row, static_cast<std::size_t>(width)});
    normalise(row, latent, rank.weights.kv_a_norm->row(0), model.rms_norm_eps);
    if (Key::applies(step, b)) {
      angles<Key>(step, b, cos_sin);
      rotate<Key>(model, cos_sin, row + latent);
    }
    store_row(step.latent, at(step.latent, b), row, width);
  }
}

// q_nope -> q: the nope part absorbed through k_b, the rope part rotated.
template <class Decisions>
void absorb(const hxc_step& step, Rank& rank, Scratch& scratch) {
  const hxc_model& model = *step.model;
  const std::int64_t nope = model.qk_nope_head_dim, pe = model.qk_rope_head_dim;
  const std::int64_t latent = model.kv_lora_rank;
  using Query = typename Decisions::Query;
  float* query = scratch.narrow.data();
  float* head_in = query + padded(latent + pe);
  float* cos_sin = head_in + padded(nope + pe);
  for (std::int64_t b = 0; b < step.rows; ++b) {
    if (!Decisions::makes_query(step, b)) continue;
    const bool rotated = Query::applies(step, b);
    if (rotated) angles<Query>(step, b, cos_sin);
    for (std::int64_t h = 0; h < step.place->heads; ++h) {
      decode_to(dtype_of(step.q_nope), Decisions::query_source(step, b, h),
                {head_in, static_cast<std::size_t>(nope + pe)});
      std::copy_n(head_in + nope, pe, query + latent);
      if (rotated) rotate<Query>(model, cos_sin, query + latent);
      std::fill(head_in + nope, head_in + padded(nope), 0.0f);
      Decisions::absorb(model, head_in, rank.weights.k_b[static_cast<std::size_t>(h)], query);
      store_row(step.q, at(step.q, b, h), query, latent + pe);
    }
  }
}

template <class Decisions>
void project_query(const hxc_step& step, Rank& rank, Scratch& scratch, const float* hidden) {
  const hxc_model& model = *step.model;
  const RankWeights& w = rank.weights;
  const float* input = hidden;
  if (model.q_lora_rank > 0) {
    const std::int64_t width = model.q_lora_rank, ld = padded(width);
    project_rows(hidden, step.rows, *w.q_a, scratch.result.data(), step.q_a);
    for (std::int64_t b = 0; b < step.rows; ++b) {
      widen_rows(step.q_a, b, 1, scratch.narrow.data(), width);
      normalise(scratch.narrow.data(), width, w.q_a_norm->row(0), model.rms_norm_eps);
      store_row(step.q_c, at(step.q_c, b), scratch.narrow.data(), width);
    }
    widen_rows(step.q_c, 0, step.rows, scratch.input.data(), ld);
    input = scratch.input.data();
  }
  hxc_tensor flat = step.q_nope;  // [B, Ht * (N + P)]
  flat.rank = 2;
  flat.shape[1] = step.q_nope.shape[1] * step.q_nope.shape[2];
  project_rows(input, step.rows, *w.q_b, scratch.result.data(), flat);
  absorb<Decisions>(step, rank, scratch);
}

template <class Decisions>
int project_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    Rank& rank = self.ranks[static_cast<std::size_t>(i)];
    if (step.rows == 0) continue;
    const std::int64_t ld = padded(step.model->hidden_size);
    float* hidden = self.scratch.input.data();
    widen_rows(step.hidden, 0, step.rows, hidden, ld);
    project_latent<Decisions>(step, rank, self.scratch, hidden);
    if (!step.is_prompt) project_query<Decisions>(step, rank, self.scratch, hidden);
  }
  return 0;
}

}  // namespace helixcheck::cpu
