// The reference: MLA decode in fp64, un-absorbed and un-sharded, written to be checked by eye.
//
// It starts from the quantised inputs of the case and rounds nothing on the way. At `layer` it is
// the textbook form: q, k_nope, v and k_pe per head, softmax, value sum, output projection. At
// `core`, where queries arrive absorbed, it is plain attention over the cache rows as stored (rows
// that a case gives, here or as a `given` prompt, have the KV format applied: it is part of the
// input). It knows nothing of ranks and pages.
//
// Cost: about 2 (N + Vd) R H + ... = 11.4 MFLOP a token for DeepSeek-sized layers; use
// `mla/composed` for large scenarios.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "mla/inputs.hpp"

namespace helixcheck {

// Results of the rows of one decode step.
struct StepResult {
  std::vector<double> output;    // `layer`: [rows, D]
  std::vector<double> combined;  // `core`: [rows, H, R], attention output in latent space
  std::vector<double> lse;       // [rows, H], natural log of the sum of exp of the scaled scores
};

class Reference {
 public:
  explicit Reference(const Inputs& inputs);  // keeps a reference to them

  // `history` is the state after the step that made `rows`; row r sees the tokens of its request
  // with index 0 .. rows[r].index.
  StepResult step(const History& history, std::span<const Row> rows);

 private:
  using Vector = std::vector<double>;

  // What attention needs of one token. At `core` all query heads share one key head, whose k_nope
  // and v are both the latent c.
  struct Key {
    Vector k_nope;  // [H, N], `core` [R]
    Vector k_pe;    // [P], roped, shared by all heads
    Vector v;       // [H, Vd], `core` [R]
  };
  struct Attention {
    Vector out;  // [H, Vd], `core` [H, R]
    Vector lse;  // [H]
  };

  Vector query(const Row& row) const;  // [H, N + P], `core` [H, R + P]
  Vector given_query(const Row& row) const;
  Vector given_cache_row(Token token, std::int64_t index) const;  // [R + P], c and roped k_pe
  Vector cache_row(Token token, std::int64_t index) const;
  Key make_key(std::span<const double> cache_row) const;
  const Key& key(const RequestState& request, std::int64_t index);
  Attention attend(std::span<const double> query, std::span<const Key* const> keys) const;
  Vector hidden_state(Token token) const;                    // [D]
  void rope(std::span<double> x, std::int64_t index) const;  // [P], in place

  const Inputs& inputs_;
  const Problem& problem_;
  // As in `Weights`; empty at `core`.
  struct {
    Vector q_a, q_a_norm, q_b, kv_a, kv_a_norm, kv_b, o;
  } weights_;
  // By token identity (request, draw), made once.
  std::map<std::pair<std::int64_t, std::int64_t>, Key> keys_;
};

// `merge`: combined [rows, H, R] and lse [rows, H] of the case's partials. Empty partials (LSE =
// -inf) have no weight whatever their values; if all are empty the result is 0 and -inf.
StepResult merge_reference(const Inputs& inputs);

}  // namespace helixcheck
