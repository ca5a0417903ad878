// Filling rows of codes from Philox streams. Tensor ids are part of the format of every case: a
// changed number changes the values of every stored scenario.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "scenario/history.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

enum class TensorId : std::uint32_t {
  hidden = 1,
  q_a = 2,
  q_a_norm = 3,
  q_b = 4,
  kv_a = 5,
  kv_a_norm = 6,
  kv_b = 7,
  o = 8,
  latent = 16,
  query = 17,
  planted_query = 18,
  hot_index = 19,
  pair_sign = 20,
  merge_o = 32,
  merge_lse = 33,
  merge_empty = 34,
  merge_gauge = 35,
};

// One row of a tensor: the third and second counter words of its Philox stream.
struct Stream {
  std::uint64_t seed = 0;
  TensorId tensor = TensorId::hidden;
  std::int64_t request = 0;
  std::int64_t token = 0;
};

// First word of a row.
std::uint32_t draw_word(const Stream& stream);

// out.size() values center + bound * U[-1, 1), in fp64 before any rounding.
void draw_uniform(const Stream& stream, double center, double bound, std::span<double> out);

// The same, rounded to `dtype` and stored as `count` codes.
void draw_uniform(const Stream& stream, double center, double bound, Dtype dtype,
                  std::int64_t count, std::byte* out);

// Half width of a uniform distribution around 0 with variance 1.
inline constexpr double kUnitVarianceBound = 1.7320508075688772;

// Whose streams the values of a request come from.
inline std::int64_t drawn_as(const Data& data, std::int64_t request) {
  return data.equal_requests ? 0 : request;
}

// Key [R + P] of unit variance at `core`, the roped part times k_pe_gain.
void draw_key(const Problem& problem, Token token, std::span<double> out);

// Small integers -limit .. limit, each with nearly equal probability.
void draw_integers(const Stream& stream, int limit, std::span<double> out);

}  // namespace helixcheck
