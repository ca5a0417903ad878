// The linear layers of a case, cut as the ranks use them, with the norms that their bounds need.
// The weights stay codes; norms are found once, when a stage first asks for them.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/accelerator.hpp"
#include "mla/inputs.hpp"
#include "mla/row_source.hpp"
#include "verdict/geometry.hpp"

namespace helixcheck {

// y = W x with W [out, in], and the Euclidean norm of each row of W.
struct LinearMap {
  RowSource w;  // [out, in], or [in, out] if `turned`
  bool turned = false;
  std::int64_t out = 0, in = 0;
  std::span<const double> norms;  // [out]

  // y [rows, out] of x [rows, in]; on `accelerator` where there is one and the work is large.
  void apply(std::span<const double> x, std::int64_t rows, std::span<double> y,
             Accelerator* accelerator = nullptr) const;
};

class LinearMaps {
 public:
  LinearMaps(const Inputs& inputs, const Geometry& geometry);  // both must outlive the object

  LinearMap q_a();                         // [Rq, D]
  LinearMap q_b(std::int64_t tpa_rank);    // [Ht * (N + P), Rq or D]
  LinearMap kv_a();                        // [R + P, D]
  LinearMap k_absorb(std::int64_t head);   // [R, N]: k_b of the head, turned
  LinearMap v_up(std::int64_t head);       // [Vd, R]
  LinearMap o_columns(std::int64_t rank);  // [D, Hc * Vd]: columns of the heads the rank owns
  std::span<const double> q_a_norm();      // [Rq], the weight of the RMSNorm
  std::span<const double> kv_a_norm();     // [R]

 private:
  using Norms = std::vector<double>;
  struct Columns {
    std::vector<std::byte> codes;
    Norms norms;
  };
  LinearMap rows_of(const Tensor& tensor, Norms& norms, std::int64_t first, std::int64_t count);

  const Inputs& inputs_;
  const Geometry& geometry_;
  Norms q_a_, q_b_, kv_a_, kv_b_;
  Norms k_absorb_;                  // [H, R]
  std::vector<Columns> o_columns_;  // by rank
  std::vector<double> q_a_norm_, kv_a_norm_;
};

}  // namespace helixcheck
