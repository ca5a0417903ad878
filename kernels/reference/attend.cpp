// Vectors (row, head) are numbered in the order of the sorted rows on the device.

#include "kernels/reference/attend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/reference/widen.hpp"
#include "mla/formats.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::int64_t kMostKeys = 1 << 16;                      // of a chunk
constexpr std::int64_t kScratchDoubles = std::int64_t{1} << 28;  // of a chunk: 2 GiB
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

stages::AttendResult sized_result(const AttendCall& call) {
  stages::AttendResult result;
  const auto vectors = static_cast<std::size_t>(call.rows() * call.heads);
  const auto latent = static_cast<std::size_t>(call.latent);
  result.heads.resize(vectors);
  result.o.resize(vectors * latent);
  result.square.resize(vectors * latent);
  result.sum_abs_v.resize(call.visible.size() * latent);
  return result;
}

// Of all vectors, as they come from the device.
struct Sums {
  std::vector<SoftmaxState> states;
  std::vector<double> o, square;
};

// Vector `to` of the result from the sums of vector `from`.
void write_vector(const AttendCall& call, const KeySizes& sizes, const Sums& sums, std::size_t from,
                  std::size_t to, stages::AttendResult& result) {
  const auto latent = static_cast<std::size_t>(call.latent);
  const auto width = static_cast<std::size_t>(call.width());
  stages::AttendHead& head = result.heads[to];
  head.score_scale = std::abs(call.softmax_scale) * norm(call.q.subspan(to * width, width)) *
                     std::sqrt(sizes.max_square);
  head.max_abs_key = sizes.max_abs;
  head.max_score = head.lse = -kInfinity;
  if (call.visible[to / static_cast<std::size_t>(call.heads)] == 0) return;
  const SoftmaxState& state = sums.states[from];
  const double sum = state.max == -kInfinity ? kNan : state.sum;  // all scores are -inf or NaN
  head.max_score = state.max;
  head.lse = state.max + std::log(sum);
  head.inv_n_eff = state.square_sum / (sum * sum);
  for (std::size_t j = 0; j < latent; ++j) {
    result.o[to * latent + j] = sums.o[from * latent + j] / sum;
    result.square[to * latent + j] = sums.square[from * latent + j] / sum;
  }
}

}  // namespace

Attention::Attention(Memory& memory, Blas& blas)
    : memory_(memory),
      blas_(blas),
      codes_(memory),
      keys_(memory),
      squares_(memory),
      q_(memory),
      scores_(memory),
      o_(memory),
      square_sums_(memory),
      keep_(memory),
      states_(memory),
      sizes_(memory),
      sum_abs_(memory),
      scratch_(memory) {}

std::int64_t Attention::chunk_keys(const AttendCall& call) const {
  const std::int64_t per_key = call.width() * 2 + call.latent + call.rows() * call.heads;
  const std::int64_t longest = *std::max_element(call.visible.begin(), call.visible.end());
  return std::clamp<std::int64_t>(std::min(kScratchDoubles / per_key, longest), 1, kMostKeys);
}

// Queries in the order of the sorted rows; sums and figures of no keys.
void Attention::start(const AttendCall& call, const std::vector<std::size_t>& order) {
  const std::int64_t vectors = call.rows() * call.heads;
  const auto per_row = static_cast<std::size_t>(call.heads * call.width());
  double* q = q_.sized(vectors * call.width());
  for (std::size_t i = 0; i < order.size(); ++i) {
    copy_in(memory_, q + i * per_row, call.q.subspan(order[i] * per_row, per_row));
  }
  const std::vector<SoftmaxState> states(static_cast<std::size_t>(vectors), {-kInfinity, 0, 0});
  copy_in<SoftmaxState>(memory_, states_.sized(vectors), states);
  const cudaStream_t stream = stream_of(memory_);
  const auto clear = [&](auto& buffer, std::int64_t n) {
    auto* data = buffer.sized(n);
    HXC_CHECK(cudaMemsetAsync(data, 0, static_cast<std::size_t>(n) * sizeof(*data), stream));
  };
  clear(o_, vectors * call.latent);
  clear(square_sums_, vectors * call.latent);
  clear(sizes_, 1);
  clear(sum_abs_, call.latent);
  keep_.sized(vectors);
  scratch_.sized(add_keys_scratch(call.latent));
  memory_.synchronize();  // `states` goes
}

// Adds the keys [first, first + count) to the first `vectors` vectors and to the figures.
void Attention::add_chunk(const AttendCall& call, std::int64_t vectors, std::int64_t first,
                          std::int64_t count) {
  const cudaStream_t stream = stream_of(memory_);
  const std::int64_t width = call.width(), latent = call.latent;
  const std::int64_t row_bytes = width * static_cast<std::int64_t>(size_of(call.keys.dtype));
  std::byte* codes = codes_.sized(count * row_bytes);
  copy_in(memory_, codes,
          std::span(static_cast<const std::byte*>(call.keys.codes) + first * row_bytes,
                    static_cast<std::size_t>(count * row_bytes)));
  double* keys = keys_.sized(count * width);
  double* squares = squares_.sized(count * latent);
  widen_codes(call.keys.dtype, codes, count * width, call.keys.scale, keys, stream);
  square_columns(keys, count, width, latent, squares, stream);
  add_keys(keys, count, width, latent, sizes_.data(), sum_abs_.data(), scratch_.data(), stream);

  double* scores = scores_.sized(vectors * count);
  blas_.multiply_transposed(vectors, count, width, {q_.data(), width}, {keys, width}, scores,
                            count);
  softmax_step(scores, vectors, count, call.softmax_scale, states_.data(), keep_.data(), stream);
  scale_rows(o_.data(), vectors, latent, keep_.data(), stream);
  scale_rows(square_sums_.data(), vectors, latent, keep_.data(), stream);
  blas_.multiply(vectors, latent, count, {scores, count}, {keys, width}, o_.data(), latent, true);
  blas_.multiply(vectors, latent, count, {scores, count}, {squares, latent}, square_sums_.data(),
                 latent, true);
}

// The last rows of `order` see least: each in turn is finished when its sight ends.
std::vector<Attention::Seen> Attention::sweep(const AttendCall& call,
                                              const std::vector<std::size_t>& order) {
  const std::int64_t chunk = chunk_keys(call);
  std::vector<Seen> seen(order.size());
  std::int64_t known = 0;
  for (std::size_t active = order.size(); active > 0; --active) {
    const std::int64_t end = call.visible[order[active - 1]];
    while (known < end) {
      const std::int64_t count = std::min(chunk, end - known);
      add_chunk(call, static_cast<std::int64_t>(active) * call.heads, known, count);
      known += count;
    }
    Seen& figures = seen[active - 1];
    figures.sum_abs.resize(static_cast<std::size_t>(call.latent));
    copy_out(memory_, std::span(&figures.sizes, 1), sizes_.data());
    copy_out(memory_, std::span(figures.sum_abs), sum_abs_.data());
  }
  return seen;
}

stages::AttendResult Attention::run(const AttendCall& call) {
  stages::AttendResult result = sized_result(call);
  if (call.rows() == 0 || call.heads == 0) return result;
  std::vector<std::size_t> order(call.visible.size());  // rows that see most come first
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return call.visible[a] > call.visible[b]; });
  start(call, order);
  std::vector<Seen> seen = sweep(call, order);
  Sums sums{std::vector<SoftmaxState>(result.heads.size()), std::vector<double>(result.o.size()),
            std::vector<double>(result.o.size())};
  copy_out(memory_, std::span(sums.states), states_.data());
  copy_out(memory_, std::span(sums.o), o_.data());
  copy_out(memory_, std::span(sums.square), square_sums_.data());
  memory_.synchronize();

  const auto heads = static_cast<std::size_t>(call.heads);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy(seen[i].sum_abs.begin(), seen[i].sum_abs.end(),
              result.sum_abs_v.begin() + static_cast<std::ptrdiff_t>(order[i]) * call.latent);
    for (std::size_t h = 0; h < heads; ++h) {
      write_vector(call, seen[i].sizes, sums, i * heads + h, order[i] * heads + h, result);
    }
  }
  return result;
}

void Attention::shrink(std::size_t bytes) {
  codes_.shrink(bytes);
  for (Buffer<double>* buffer : {&keys_, &squares_, &q_, &scores_, &o_, &square_sums_}) {
    buffer->shrink(bytes);
  }
}

}  // namespace helixcheck::cuda
