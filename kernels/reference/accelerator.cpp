// What the parts share: the device, cuBLAS, and the weights that are kept until `forget`.

#include "kernels/reference/accelerator.hpp"

#include <algorithm>

#include "kernels/reference/attend.hpp"
#include "kernels/reference/row_checks.hpp"
#include "kernels/reference/widen.hpp"
#include "mla/formats.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::int64_t kWeightDoubles = std::int64_t{1} << 27;  // widened at once: 1 GiB
constexpr std::size_t kSmallBuffer = std::size_t{16} << 20;     // bytes; survives `forget`

int device_of(cudaStream_t stream) {
  int device = 0;
  HXC_CHECK(cudaStreamGetDevice(stream, &device));
  return device;
}

// Sets the thread's device before cuBLAS is made on it.
Memory& entered(Memory& memory) {
  HXC_CHECK(cudaSetDevice(device_of(stream_of(memory))));
  return memory;
}

class CudaAccelerator : public Accelerator {
 public:
  explicit CudaAccelerator(Memory& memory)
      : memory_(entered(memory)),
        blas_(stream_of(memory)),
        kept_(memory),
        attention_(memory, blas_),
        checks_(memory, blas_, kept_),
        x_(memory),
        w_(memory),
        y_(memory) {}

  void multiply(const Product& product, std::span<const double> x, std::span<double> y) override {
    entered(memory_);
    const Product& p = product;
    const std::int64_t row_bytes = p.in * static_cast<std::int64_t>(size_of(p.dtype));
    const auto* w = static_cast<const std::byte*>(
        kept_.bytes(p.w, static_cast<std::size_t>(p.out * row_bytes)));
    double* from = x_.sized(p.rows * p.in);
    double* to = y_.sized(p.rows * p.out);
    copy_in(memory_, from, x.first(static_cast<std::size_t>(p.rows * p.in)));
    const cudaStream_t stream = stream_of(memory_);
    if (p.turned) {
      double* wide = w_.sized(p.in * p.out);
      widen_codes(p.dtype, w, p.in * p.out, 1.0, wide, stream);
      blas_.multiply(p.rows, p.out, p.in, {from, p.in}, {wide, p.out}, to, p.out, false);
    } else {
      const std::int64_t block = std::clamp<std::int64_t>(kWeightDoubles / p.in, 1, p.out);
      double* wide = w_.sized(block * p.in);
      for (std::int64_t j = 0; j < p.out; j += block) {
        const std::int64_t count = std::min(block, p.out - j);
        widen_codes(p.dtype, w + j * row_bytes, count * p.in, 1.0, wide, stream);
        blas_.multiply_transposed(p.rows, count, p.in, {from, p.in}, {wide, p.in}, to + j, p.out);
      }
    }
    copy_out(memory_, y.first(static_cast<std::size_t>(p.rows * p.out)), to);
    memory_.synchronize();
  }

  stages::AttendResult attend(std::span<const double> q, const stages::CacheRows& keys,
                              std::span<const std::int64_t> visible, std::int64_t heads,
                              std::int64_t latent, std::int64_t rope,
                              double softmax_scale) override {
    entered(memory_);
    return attention_.run({q, keys, visible, heads, latent, rope, softmax_scale});
  }

  PromptEvidence check_prompt(const PromptRows& rows) override {
    entered(memory_);
    return rows.rows == 0 ? PromptEvidence{} : checks_.prompt(rows);
  }

  Evidence check_stored(const StoredRows& rows) override {
    entered(memory_);
    return rows.rows == 0 ? Evidence{} : checks_.stored(rows);
  }

  void forget() override {
    if (memory_.lost()) return;  // nothing there can be used again
    entered(memory_);
    memory_.synchronize();
    kept_.forget();
    attention_.shrink(kSmallBuffer);
    checks_.forget(kSmallBuffer);
    for (Buffer<double>* buffer : {&x_, &w_, &y_}) buffer->shrink(kSmallBuffer);
  }

 private:
  Memory& memory_;
  Blas blas_;
  Kept kept_;
  Attention attention_;
  RowChecks checks_;
  Buffer<double> x_, w_, y_;  // [rows, in], [out, in] or a part of it, [rows, out]
};

}  // namespace

std::unique_ptr<Accelerator> make_cuda_accelerator(Memory& memory) {
  return std::make_unique<CudaAccelerator>(memory);
}

}  // namespace helixcheck::cuda
