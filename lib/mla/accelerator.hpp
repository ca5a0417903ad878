// Who computes what takes the judge's own cores too long: the fp64 stages on a GPU. The results are
// those of mla/stages.hpp to 1e-12 of each sum of magnitudes.

#pragma once

#include <cstdint>
#include <span>

#include "mla/row_source.hpp"
#include "mla/stages.hpp"

namespace helixcheck {

class Accelerator {
 public:
  virtual ~Accelerator() = default;

  // y [rows, out] = x [rows, in] * w^T, w [out, in] codes of `dtype` (`turned`: w [in, out], and
  // y = x w), dense.
  struct Product {
    std::int64_t rows = 0, in = 0, out = 0;
    Dtype dtype = Dtype::bf16;
    const void* w = nullptr;
    bool turned = false;
  };
  virtual void multiply(const Product& product, std::span<const double> x, std::span<double> y) = 0;

  // As stages::attend.
  virtual stages::AttendResult attend(std::span<const double> q, const stages::CacheRows& keys,
                                      std::span<const std::int64_t> visible, std::int64_t heads,
                                      std::int64_t latent, std::int64_t rope,
                                      double softmax_scale) = 0;
};

}  // namespace helixcheck
