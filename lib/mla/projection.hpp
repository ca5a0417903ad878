// The fp64 projections of a step: queries and cache rows from what the case gives, in absorbed
// form.

#pragma once

#include <functional>
#include <span>
#include <vector>

#include "mla/inputs.hpp"
#include "mla/latent_rows.hpp"

namespace helixcheck {

class Projection {
 public:
  using Store = std::function<double(Dtype, double)>;

  // `store` (may be empty) is applied to every value that a subject rounds to a format. `inputs`
  // must outlive the projection.
  Projection(const Inputs& inputs, Store store);

  // Queries [rows, H, R + P], absorbed and roped.
  std::vector<double> queries(std::span<const Row> rows) const;

  // Cache rows [count, R + P]: projected, or given by the case and then rounded to the KV format.
  void cache_rows(const LatentRows::Piece& piece, std::span<double> rows) const;

  // Whether anything is stored on the way.
  bool stores() const { return static_cast<bool>(store_); }

  // Applies `store` to all values.
  void round(Dtype dtype, std::span<double> values) const;

 private:
  std::vector<double> hidden(Token first, std::int64_t count) const;
  std::vector<double> given_queries(std::span<const Row> rows) const;
  std::vector<double> unabsorbed_queries(std::span<const Row> rows) const;
  void given_rows(const LatentRows::Piece& piece, std::span<double> rows) const;

  const Inputs& inputs_;
  const Problem& problem_;
  Store store_;
};

// x [rows, in] * w [out, in]^T for a weight tensor.
std::vector<double> project(std::span<const double> x, std::int64_t rows, const Tensor& w);

}  // namespace helixcheck
