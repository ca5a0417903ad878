// Who computes what takes the judge's own cores too long: the fp64 stages on a GPU. The results are
// those of mla/stages.hpp to 1e-12 of each sum of magnitudes. An object serves one thread.

#pragma once

#include <cstdint>
#include <span>

#include "mla/evidence.hpp"
#include "mla/prompt_rows.hpp"
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
  // Codes of `w` may be kept from call to call, by their address.
  virtual void multiply(const Product& product, std::span<const double> x, std::span<double> y) = 0;

  // As stages::attend.
  virtual stages::AttendResult attend(std::span<const double> q, const stages::CacheRows& keys,
                                      std::span<const std::int64_t> visible, std::int64_t heads,
                                      std::int64_t latent, std::int64_t rope,
                                      double softmax_scale) = 0;

  // Compares projected prompt rows with their recomputation. Weights, norms and frequencies may be
  // kept from call to call, by their address.
  virtual PromptEvidence check_prompt(const PromptRows& rows) = 0;

  // Compares new cache rows, codes [rows, width] of `kv_dtype`, with the latent rows, codes of
  // `dtype`, that they were made from: each value is wanted / scale, off by `bound` relatively.
  struct StoredRows {
    std::int64_t rows = 0, width = 0;
    Dtype dtype = Dtype::bf16, kv_dtype = Dtype::bf16;
    const void* latent = nullptr;
    const void* stored = nullptr;
    double scale = 1.0, bound = 0;
  };
  virtual Evidence check_stored(const StoredRows& rows) = 0;

  // The memory of what was kept may be used for other things from here on.
  virtual void forget() = 0;
};

// Floating-point operations from which work is worth its way to an accelerator and back.
inline constexpr double kAcceleratedFlops = 3e8;

// stages::attend; on `accelerator` where there is one and the work is large.
stages::AttendResult attend_on(Accelerator* accelerator, std::span<const double> q,
                               const stages::CacheRows& keys, std::span<const std::int64_t> visible,
                               std::int64_t heads, std::int64_t latent, std::int64_t rope,
                               double softmax_scale);

}  // namespace helixcheck
