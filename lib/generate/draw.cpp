// Rows are made in pieces of 1024 words that stay in the first-level cache.

#include "generate/draw.hpp"

#include <algorithm>
#include <array>

#include "generate/philox.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kPiece = 1024;

// Calls use(begin, words) for consecutive pieces of the row.
template <typename Use>
void for_pieces(const Stream& stream, std::int64_t count, Use use) {
  std::array<std::uint32_t, kPiece> words;
  for (std::int64_t begin = 0; begin < count; begin += kPiece) {
    const std::int64_t size = std::min(kPiece, count - begin);
    const std::span<std::uint32_t> piece(words.data(), static_cast<std::size_t>(size));
    philox_row(stream.seed, static_cast<std::uint32_t>(stream.tensor),
               static_cast<std::uint32_t>(stream.request), static_cast<std::uint32_t>(stream.token),
               static_cast<std::uint32_t>(begin), piece);
    use(begin, piece);
  }
}

}  // namespace

std::uint32_t draw_word(const Stream& stream) {
  std::uint32_t word = 0;
  for_pieces(stream, 1, [&](std::int64_t, std::span<std::uint32_t> words) { word = words[0]; });
  return word;
}

void draw_uniform(const Stream& stream, double center, double bound, std::span<double> out) {
  for_pieces(stream, std::ssize(out), [&](std::int64_t begin, std::span<std::uint32_t> words) {
    double* values = out.data() + begin;
    for (std::size_t i = 0; i < words.size(); ++i) {
      values[i] = center + bound * unit_interval(words[i]);
    }
  });
}

void draw_uniform(const Stream& stream, double center, double bound, Dtype dtype,
                  std::int64_t count, std::byte* out) {
  const bool exact_in_float = center == 0.0 && bound == 1.0;
  std::array<float, kPiece> floats;
  std::array<double, kPiece> doubles;
  for_pieces(stream, count, [&](std::int64_t begin, std::span<std::uint32_t> words) {
    std::byte* codes = out + begin * static_cast<std::int64_t>(size_of(dtype));
    const std::size_t n = words.size();
    if (exact_in_float) {
      for (std::size_t i = 0; i < n; ++i) floats[i] = static_cast<float>(unit_interval(words[i]));
      encode_from(dtype, std::span<const float>(floats.data(), n), codes);
    } else {
      for (std::size_t i = 0; i < n; ++i) doubles[i] = center + bound * unit_interval(words[i]);
      encode_from(dtype, std::span<const double>(doubles.data(), n), codes);
    }
  });
}

void draw_key(const Problem& problem, Token token, std::span<double> out) {
  const Data& data = problem.data;
  draw_uniform({data.seed, TensorId::latent, drawn_as(data, token.request), token.draw}, 0,
               kUnitVarianceBound, out);
  if (data.k_pe_gain == 1) return;
  for (double& value : out.subspan(static_cast<std::size_t>(problem.kv_lora_rank))) {
    value *= data.k_pe_gain;
  }
}

void draw_integers(const Stream& stream, int limit, std::span<double> out) {
  const std::uint64_t values = 2 * static_cast<std::uint64_t>(limit) + 1;
  for_pieces(stream, std::ssize(out), [&](std::int64_t begin, std::span<std::uint32_t> words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto drawn = static_cast<std::int64_t>((words[i] * values) >> 32);
      out[static_cast<std::size_t>(begin) + i] = static_cast<double>(drawn - limit);
    }
  });
}

}  // namespace helixcheck
