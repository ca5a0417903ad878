// The precision contract: what a subject declares of its arithmetic and conventions. The bounds are
// computed from it, so a wrong declaration shows as ratios above 1 on clean runs.

#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "scenario/scenario.hpp"

namespace helixcheck {

enum class RopeAngle { fp64, fp32 };  // how position * inv_freq is formed

// What attend leaves for a shard without visible keys. `neutral`: o = +0, lse = -inf. `plus_inf`:
// the lse may be +inf as well. `undefined_o`: besides, o may be anything.
enum class EmptyShard { neutral, plus_inf, undefined_o };

struct Contract {
  std::string_view name;
  std::string_view about;  // one line for `list contracts`
  double u_acc = 0x1p-24;  // relative error of one accumulation: 2^-24 to nearest, 2^-23 truncating
  int block = 8;           // products that meet before the running accumulator (at most as many
                  // roundings as it, plus four): lanes of a dot product, keys of a value sum
  int extra = 4;         // roundings of a sum besides those of its blocks
  int fp32_block = 0;    // `block` of linear layers where the dtype is fp32; 0: the same
  int tile = 64;         // keys in one softmax tile
  bool p_model = false;  // probabilities enter the value product in the model dtype, else in fp32
  bool sum_from_rounded_p = false;  // the row sum may be taken from rounded probabilities
  double eps_exp = 0x1p-22;         // relative error of one exponential
  double least_exp = 0x1p-149;      // smaller exponentials become 0
  RopeAngle rope_angle = RopeAngle::fp64;
  double rope_table_unit = 0x1p-24;  // rounding of cos, sin and of their products
  bool norm_rounds_first = false;    // RMSNorm stores x / rms in dtype before the weight
  bool merge_by_total_lse = false;   // merge weights exp(lse_r - LSE), not normalised by their sum
  bool reduce_in_model_dtype = false;  // the sum over ranks rounds to dtype after each addition
  bool merge_in_model_dtype = false;   // weighted partials are stored and added in dtype
  EmptyShard empty = EmptyShard::neutral;
};

// One for each stage: parts of a subject may come from different hands.
using StageContracts = std::array<const Contract*, 7>;

// cpu, cpu_p16, cuda, cuda_agrs, flashmla, flashinfer, trtllm, unknown (sound for all of them).
std::span<const Contract> contracts();
// Throws InputError listing the known names.
const Contract& find_contract(std::string_view name);

}  // namespace helixcheck
