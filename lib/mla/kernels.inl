// Body of the kernels, included once by the source of each instruction set. Vector width and tile
// height follow from the flags that source is compiled with; results do not depend on them.

#include "mla/kernels.hpp"

namespace helixcheck {
namespace {

// A tile keeps kTileRows x kPanelColumns sums in registers. These heights were the fastest
// measured.
#if defined(__AVX512F__)
constexpr int kLanes = 8;
constexpr int kTileRows = 8;
#elif defined(__AVX2__)
constexpr int kLanes = 4;
constexpr int kTileRows = 4;
#else
constexpr int kLanes = 2;
constexpr int kTileRows = 3;
#endif
constexpr int kVectors = kPanelColumns / kLanes;

typedef double Vector __attribute__((vector_size(kLanes * sizeof(double))));

inline Vector load(const double* from) {
  Vector to;
  __builtin_memcpy(&to, from, sizeof to);
  return to;
}

inline void store(Vector from, double* to) {
  __builtin_memcpy(to, &from, sizeof from);
}

// One tile over the whole depth. `y` has kPanelColumns columns.
template <int kRows>
void multiply_add_tile(std::int64_t depth, const double* x, std::int64_t x_stride,
                       const double* panel, double* y, std::int64_t y_stride) {
  Vector sums[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kVectors; ++v) sums[i][v] = load(y + i * y_stride + v * kLanes);
  }
  for (std::int64_t k = 0; k < depth; ++k, panel += kPanelColumns) {
    Vector row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = load(panel + v * kLanes);
    for (int i = 0; i < kRows; ++i) {
      const double factor = x[i * x_stride + k];
      for (int v = 0; v < kVectors; ++v) sums[i][v] += factor * row[v];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kVectors; ++v) store(sums[i][v], y + i * y_stride + v * kLanes);
  }
}

// The same where y has fewer columns: through a full-width copy of its rows.
template <int kRows>
void multiply_add_edge(std::int64_t depth, int columns, const double* x, std::int64_t x_stride,
                       const double* panel, double* y, std::int64_t y_stride) {
  double padded[kRows * kPanelColumns] = {};
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < columns; ++j) padded[i * kPanelColumns + j] = y[i * y_stride + j];
  }
  multiply_add_tile<kRows>(depth, x, x_stride, panel, padded, kPanelColumns);
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < columns; ++j) y[i * y_stride + j] = padded[i * kPanelColumns + j];
  }
}

// Rows in tiles of kRows, what is left in ever lower ones.
template <int kRows>
void multiply_add_rows(std::int64_t rows, std::int64_t depth, int columns, const double* x,
                       std::int64_t x_stride, const double* panel, double* y,
                       std::int64_t y_stride) {
  for (; rows >= kRows; rows -= kRows, x += kRows * x_stride, y += kRows * y_stride) {
    if (columns == kPanelColumns) {
      multiply_add_tile<kRows>(depth, x, x_stride, panel, y, y_stride);
    } else {
      multiply_add_edge<kRows>(depth, columns, x, x_stride, panel, y, y_stride);
    }
  }
  if constexpr (kRows > 1) {
    if (rows > 0) {
      multiply_add_rows<(kRows + 1) / 2>(rows, depth, columns, x, x_stride, panel, y, y_stride);
    }
  }
}

void multiply_add(std::int64_t rows, std::int64_t depth, int columns, const double* x,
                  std::int64_t x_stride, const double* panel, double* y, std::int64_t y_stride) {
  multiply_add_rows<kTileRows>(rows, depth, columns, x, x_stride, panel, y, y_stride);
}

}  // namespace
}  // namespace helixcheck
