// Accelerator::check_prompt and check_stored: codes go to the device, evidence comes back.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/reference/blas.hpp"
#include "kernels/reference/device_buffers.hpp"
#include "mla/accelerator.hpp"

namespace helixcheck::cuda {

class RowChecks {
 public:
  RowChecks(Memory& memory, Blas& blas, Kept& kept);  // all must outlive the object

  PromptEvidence prompt(const PromptRows& rows);
  Evidence stored(const Accelerator::StoredRows& rows);

  // What was kept is not valid any more; gives back buffers larger than `bytes`.
  void forget(std::size_t bytes);

 private:
  void widen_weight(const PromptRows& rows);
  void make_hidden(const PromptRows& rows, std::int64_t first, std::int64_t count);
  void check_batch(const PromptRows& rows, std::int64_t first, std::int64_t count,
                   PromptEvidence& evidence);
  const void* upload_rows(Buffer<std::byte>& buffer, const void* codes, std::int64_t first,
                          std::int64_t count, std::int64_t row_bytes);
  std::span<const Evidence> collect(int count);

  Memory& memory_;
  Blas& blas_;
  Kept& kept_;
  Buffer<std::byte> x_codes_, got_codes_, latent_codes_;  // of a batch
  Buffer<RowStream> streams_;                             // [n]
  Buffer<std::int64_t> positions_;                        // [n]
  Buffer<double> x_, x_norms_;                            // [n, D], [n]
  Buffer<double> w_, want_;                               // [R + P, D], [n, R + P]
  Buffer<Evidence> seen_;                                 // two kinds, by block
  const void* widened_ = nullptr;                         // the kept codes that w_ holds
  std::vector<RowStream> host_streams_;
  std::vector<Evidence> host_seen_;
};

}  // namespace helixcheck::cuda
