// stages::attend on the device, over chunks of keys, so that a list of any length fits.
//
// Rows are sorted by how much they see, and chunks end where a row's sight ends: a chunk is seen
// whole by the first rows and not at all by the others, which take no part in it. So nothing is
// ever masked, and what a row does not see cannot reach it, NaN or not.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/reference/attend_kernels.hpp"
#include "kernels/reference/blas.hpp"
#include "kernels/reference/device_buffers.hpp"
#include "mla/stages.hpp"

namespace helixcheck::cuda {

struct AttendCall {
  std::span<const double> q;  // [rows, H, R + P]
  stages::CacheRows keys;
  std::span<const std::int64_t> visible;  // [rows]
  std::int64_t heads = 0, latent = 0, rope = 0;
  double softmax_scale = 1;
  std::int64_t rows() const { return std::ssize(visible); }
  std::int64_t width() const { return latent + rope; }
};

class Attention {
 public:
  Attention(Memory& memory, Blas& blas);  // both must outlive the object

  stages::AttendResult run(const AttendCall& call);

  // Gives back large buffers.
  void shrink(std::size_t bytes);

 private:
  struct Seen {  // of the keys that a row sees
    KeySizes sizes{};
    std::vector<double> sum_abs;  // [R]
  };
  void start(const AttendCall& call, const std::vector<std::size_t>& order);
  void add_chunk(const AttendCall& call, std::int64_t vectors, std::int64_t first,
                 std::int64_t count);
  std::vector<Seen> sweep(const AttendCall& call, const std::vector<std::size_t>& order);
  std::int64_t chunk_keys(const AttendCall& call) const;

  Memory& memory_;
  Blas& blas_;
  Buffer<std::byte> codes_;           // of a chunk's keys
  Buffer<double> keys_, squares_;     // [chunk, R + P], [chunk, R]
  Buffer<double> q_, scores_;         // [vectors, R + P], [vectors, chunk]
  Buffer<double> o_, square_sums_;    // [vectors, R], not normalised
  Buffer<double> keep_;               // [vectors]
  Buffer<SoftmaxState> states_;       // [vectors]
  Buffer<KeySizes> sizes_;            // one
  Buffer<double> sum_abs_, scratch_;  // [R]; for add_keys
};

}  // namespace helixcheck::cuda
