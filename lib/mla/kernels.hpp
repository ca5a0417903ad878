// The one hot loop of the fp64 stages, compiled for several instruction sets.
//
// Invariant: every element is its own left-to-right sum, without fused multiply-add, so that lanes
// and tiles have no influence and all sets give the same bits. The sources that implement a set are
// compiled with its flags and therefore include nothing but this header and kernels.inl: an inline
// function of the standard library compiled there could end up in code that runs everywhere.

#pragma once

#include <cstdint>

namespace helixcheck {

inline constexpr int kPanelColumns = 8;

struct Kernels {
  // y[i, j] += x[i, 0] * panel[0, j] + x[i, 1] * panel[1, j] + ..., for i < rows, j < columns.
  // x [rows, depth] and y [rows, columns] have row strides; `panel` is [depth, kPanelColumns],
  // dense, and 1 <= columns <= kPanelColumns.
  void (*multiply_add)(std::int64_t rows, std::int64_t depth, int columns, const double* x,
                       std::int64_t x_stride, const double* panel, double* y,
                       std::int64_t y_stride);
};

enum class InstructionSet { baseline, avx2, avx512 };

// The kernels for an instruction set; nullptr if this machine or this build has none.
const Kernels* find_kernels(InstructionSet set);

// The fastest that this machine can run.
const Kernels& kernels();

}  // namespace helixcheck
