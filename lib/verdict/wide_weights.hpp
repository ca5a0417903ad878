// The weights of a case, widened to fp64 once and only when a stage asks for them, cut and turned
// as the stages use them, with the row norms that the bounds need.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/inputs.hpp"
#include "verdict/geometry.hpp"

namespace helixcheck {

// y = W x: rows [out, in] and the Euclidean norm of each.
struct LinearMap {
  std::span<const double> w;
  std::span<const double> norms;
  std::int64_t out = 0, in = 0;
};

class WideWeights {
 public:
  WideWeights(const Inputs& inputs, const Geometry& geometry);

  LinearMap q_a();                         // [Rq, D]
  LinearMap q_b(std::int64_t tpa_rank);    // [Ht * (N + P), Rq or D]
  LinearMap kv_a();                        // [R + P, D]
  LinearMap k_absorb(std::int64_t head);   // [R, N]: k_b of the head, transposed
  LinearMap v_up(std::int64_t head);       // [Vd, R]
  LinearMap o_columns(std::int64_t rank);  // [D, Hc * Vd]: columns of the heads the rank owns
  std::span<const double> q_a_norm();      // [Rq]
  std::span<const double> kv_a_norm();     // [R]

 private:
  struct Stored {
    std::vector<double> w, norms;
    std::int64_t in = 0;
    bool empty() const { return w.empty(); }
    void fill_norms();
    LinearMap rows(std::int64_t first, std::int64_t count) const;
  };
  const Stored& whole(Stored& stored, const Tensor& tensor);
  void split_kv_b();

  const Inputs& inputs_;
  Geometry geometry_;
  Stored q_a_, q_b_, kv_a_;
  Stored k_absorb_, v_up_;         // all heads, one after the other
  std::vector<Stored> o_columns_;  // by rank
  std::vector<double> q_a_norm_, kv_a_norm_;
};

}  // namespace helixcheck
