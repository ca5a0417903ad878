// State of the built-in CPU subject: widened weights and scratch memory, one Rank for each rank of
// the process. Everything is allocated at create time for the largest step of the scenario.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "mla/formats.hpp"
#include "subject/cpu/kernels.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cpu {

// How the arithmetic varies between the registered CPU subjects.
struct Variant {
  bool round_p = false;  // probabilities rounded to the model dtype before the value product
};

// A matrix [rows, cols] widened to fp32, its rows padded with zeros to a multiple of kLanes.
struct Matrix {
  std::int64_t rows = 0, cols = 0, ld = 0;
  std::vector<float> data;
  const float* row(std::int64_t i) const { return data.data() + i * ld; }
};

struct RankWeights {
  std::shared_ptr<const Matrix> q_a, q_a_norm, q_b, kv_a, kv_a_norm, o;
  std::vector<Matrix> k_b;  // per head, transposed to [R, N]
  std::vector<Matrix> v_b;  // per owned head, [Vd, R]
};

// What a stage needs while it works on one rank. Sizes follow from hxc_limits.
struct Scratch {
  std::vector<float> input;      // widened rows that enter a product
  std::vector<float> result;     // fp32 rows that leave one
  std::vector<float> narrow;     // a few single rows
  std::vector<float> keys;       // one tile of cache rows
  std::vector<float> scores;     // [lanes, kTile]
  std::vector<float> sums;       // running softmax of each lane
  std::vector<float> merge_lse;  // one for each partial
};

struct Rank {
  RankWeights weights;
  std::vector<std::byte> send;      // [kvp, B, Hc, R]
  std::vector<std::byte> gathered;  // [ranks, B, D]
};

struct Instance {
  Variant variant;
  std::vector<Rank> ranks;
  Scratch scratch;                // ranks of one process take turns
  std::vector<const void*> send;  // one for each rank of this process
  std::vector<void*> receive;
};

// Keys of one softmax tile; the `cpu` contract declares it.
inline constexpr std::int64_t kTile = 64;

int create(const Variant& variant, void** instance, const hxc_model* model,
           const hxc_rank* const* places, const hxc_weights* const* weights,
           const hxc_limits* limits, hxc_error* error);

// Widens `count` rows of a 2-axis view, starting at row `first`, into rows of ld floats.
void widen_rows(const hxc_tensor& from, std::int64_t first, std::int64_t count, float* to,
                std::int64_t ld);

// y [m, n] = x * w^T, stored row by row into `to` (a view whose rows have n dense elements) through
// fp32. x: m rows of padded(w.cols) floats. `fp32_copy`: m * n floats.
void project_rows(const float* x, std::int64_t m, const Matrix& w, float* fp32_copy,
                  const hxc_tensor& to);

// The stages, in the signature of the boundary.
int plan(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int project(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int append(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int attend(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int exchange(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int combine(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);
int output(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error);

}  // namespace helixcheck::cpu
