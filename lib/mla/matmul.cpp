// Blocked fp64 matrix products. A panel (8 columns of the right-hand side, kDepth deep) is packed
// on the stack and used for all rows of a block, whose part of x and y stays in the second-level
// cache. Nothing is allocated, which keeps products of a few thousand operations cheap.

#include "mla/matmul.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "mla/kernels.hpp"
#include "mla/parallel.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kDepth = 256;        // elements of the inner dimension in a panel
constexpr std::int64_t kRowBlock = 256;     // rows of x for which a panel is used
constexpr std::int64_t kColumnBlock = 128;  // columns of y in a block

// Elements [k, k + depth) of the inner dimension, columns [column, column + columns) of y.
struct PanelPlace {
  std::int64_t k, depth, column;
  int columns;
};

// panel [depth, kPanelColumns] from w [out, in], zeros in the columns that are left over.
void pack_transposed(const RowSource& w, const PanelPlace& place, double* panel) {
  double lines[kPanelColumns][kDepth];
  for (int j = 0; j < kPanelColumns; ++j) {
    const std::span<double> line(lines[j], static_cast<std::size_t>(place.depth));
    if (j < place.columns) {
      w.read(place.column + j, place.k, line);
    } else {
      std::fill(line.begin(), line.end(), 0.0);
    }
  }
  for (std::int64_t k = 0; k < place.depth; ++k) {
    for (int j = 0; j < kPanelColumns; ++j) panel[k * kPanelColumns + j] = lines[j][k];
  }
}

// The same from w [in, out].
void pack(const RowSource& w, const PanelPlace& place, double* panel) {
  for (std::int64_t k = 0; k < place.depth; ++k, panel += kPanelColumns) {
    w.read(place.k + k, place.column, {panel, static_cast<std::size_t>(place.columns)});
    std::fill(panel + place.columns, panel + kPanelColumns, 0.0);
  }
}

struct Product {
  Strided<const double> x;
  std::int64_t rows, in, out;
  Strided<double> y;
};

struct Range {
  std::int64_t begin, end;
};

// Adds x * (packed matrix) to one block of y.
template <typename Pack>
void add_block(const Product& p, Range rows, Range columns, const Pack& pack_panel) {
  alignas(64) std::array<double, kDepth * kPanelColumns> panel;
  const double* x = p.x.data + rows.begin * p.x.stride;
  double* y = p.y.data + rows.begin * p.y.stride;
  for (std::int64_t k = 0; k < p.in; k += kDepth) {
    const std::int64_t depth = std::min(kDepth, p.in - k);
    for (std::int64_t j = columns.begin; j < columns.end; j += kPanelColumns) {
      const auto width = static_cast<int>(std::min<std::int64_t>(kPanelColumns, columns.end - j));
      pack_panel({k, depth, j, width}, panel.data());
      kernels().multiply_add(rows.end - rows.begin, depth, width, x + k, p.x.stride, panel.data(),
                             y + j, p.y.stride);
    }
  }
}

template <typename Pack>
void run(const Product& p, const Pack& pack_panel) {
  for (std::int64_t i = 0; i < p.rows; ++i) std::fill_n(p.y.data + i * p.y.stride, p.out, 0.0);
  const double flops = 2.0 * static_cast<double>(p.rows) * static_cast<double>(p.out * p.in);
  const std::int64_t panels = (p.out + kPanelColumns - 1) / kPanelColumns;
  parallel_for(panels, flops, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t last = std::min(end * kPanelColumns, p.out);
    for (std::int64_t j = begin * kPanelColumns; j < last; j += kColumnBlock) {
      const Range columns{j, std::min(j + kColumnBlock, last)};
      for (std::int64_t i = 0; i < p.rows; i += kRowBlock) {
        add_block(p, {i, std::min(i + kRowBlock, p.rows)}, columns, pack_panel);
      }
    }
  });
}

}  // namespace

void multiply_transposed(Strided<const double> x, std::int64_t rows, const RowSource& w,
                         std::int64_t out, Strided<double> y) {
  run({x, rows, w.width(), out, y},
      [&](const PanelPlace& place, double* panel) { pack_transposed(w, place, panel); });
}

void multiply(Strided<const double> x, std::int64_t rows, const RowSource& w, std::int64_t in,
              Strided<double> y) {
  run({x, rows, in, w.width(), y},
      [&](const PanelPlace& place, double* panel) { pack(w, place, panel); });
}

}  // namespace helixcheck
