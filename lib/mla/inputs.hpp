// What a case offers to whoever computes with it: weights held, activations made on demand, so that
// a million-token prompt never exists as a whole. Every value is a code of the scenario's dtype and
// depends on the scenario alone, never on ranks, pages or the world.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mla/rope.hpp"
#include "scenario/history.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// A dense row-major array of codes.
struct Tensor {
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
  Tensor() = default;
  Tensor(Dtype dtype, std::vector<std::int64_t> shape);  // zero-filled
  std::int64_t elements() const;
  bool empty() const { return bytes.empty(); }
};

// All values of a tensor, widened.
std::vector<double> widen(const Tensor& tensor);

// Weights in the Hugging Face layout, un-sharded. Empty tensors where a model has none.
struct Weights {
  Tensor q_a;        // [Rq, D]
  Tensor q_a_norm;   // [Rq]
  Tensor q_b;        // [H * (N + P), Rq], or [H * (N + P), D] without q_lora; nope first in a head
  Tensor kv_a;       // [R + P, D], latent rows first
  Tensor kv_a_norm;  // [R]
  Tensor kv_b;       // [H * (N + Vd), R], per head: k_nope rows, then v rows
  Tensor o;          // [D, H * Vd]
};

// Given partial results of a `merge` case. An empty partial has LSE -inf and NaN values.
struct Partials {
  Tensor o;    // [parts, rows, H, R] in dtype
  Tensor lse;  // fp32 [parts, rows, H], natural log
  // [parts, rows, H], nats: where statistics are written as (max, sum) they read (lse - gauge,
  // exp(gauge)). Empty: 0 everywhere.
  std::vector<float> gauge{};
};

// How hidden states follow from counters: element d of a token is U[-1, 1) from word d of the
// Philox stream (tensor, request, draw), as generate/draw.hpp makes it, rounded to dtype.
struct DrawnHidden {
  std::uint64_t seed = 0;
  std::uint32_t tensor = 0;
  bool equal_requests = false;  // all requests draw what request 0 draws
};

class Inputs {
 public:
  virtual ~Inputs() = default;
  virtual const Scenario& scenario() const = 0;
  virtual const RopeTable& rope() const = 0;
  virtual const Weights& weights() const = 0;  // `layer` only
  const Problem& problem() const { return scenario().problem; }

  // `layer`: hidden states [count, D] of tokens with draws first.draw .. first.draw + count - 1.
  virtual void hidden(Token first, std::int64_t count, std::byte* out) const = 0;

  // For whoever makes the same hidden states elsewhere; nothing where they are not drawn.
  virtual std::optional<DrawnHidden> drawn_hidden() const { return std::nullopt; }

  // `core`, and the prompt of `prompt: given`: the rows [count, R + P] that tokens contribute to
  // the cache, in dtype, before the KV format. `index` is the first token's index in its request.
  virtual void latent(Token first, std::int64_t index, std::int64_t count,
                      std::byte* out) const = 0;

  // `core`: the query [H, R + P] of one row, absorbed and roped.
  virtual void query(const Row& row, std::byte* out) const = 0;

  // `merge`.
  virtual Partials partials() const = 0;
};

}  // namespace helixcheck
