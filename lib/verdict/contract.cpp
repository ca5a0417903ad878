// The presets. Where a kernel's arithmetic is not published, the wider reading is taken; `unknown`
// takes the widest of each field, so that every bound computed from it covers all other presets.

#include "verdict/contract.hpp"

#include <algorithm>
#include <array>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr double kTruncating = 0x1p-23;  // tensor cores align and cut their sums

constexpr Contract cpu() {
  Contract c;
  c.name = "cpu";
  c.about = "built-in CPU subject: fp32 throughout, 8 lanes, tiles of 64 keys";
  return c;
}

constexpr Contract cpu_p16() {
  Contract c = cpu();
  c.name = "cpu_p16";
  c.about = "built-in CPU subject with probabilities rounded to the model dtype";
  c.p_model = true;
  return c;
}

constexpr Contract tensor_core() {
  Contract c;
  c.u_acc = kTruncating;
  c.block = 16;
  c.p_model = true;
  return c;
}

// cuBLAS chooses its kernel by the shape. 16-bit products meet in tensor cores, 16 at a time, whose
// sums are cut, not rounded; the few terms that a narrow or unaligned product leaves to plain
// multiply-adds, one rounding each, are in `extra`. fp32 products are plain multiply-adds
// throughout. The transport may add partial outputs in any order and in the model dtype.
constexpr Contract cuda() {
  Contract c = tensor_core();
  c.name = "cuda";
  c.about = "built-in CUDA subject: tensor cores for 16-bit formats, tiles of 32 keys";
  c.extra = 68;
  c.fp32_block = 1;
  c.tile = 32;
  c.least_exp = 0x1p-126;  // ex2.approx.ftz
  c.reduce_in_model_dtype = true;
  return c;
}

constexpr Contract cuda_agrs() {
  Contract c = cuda();
  c.name = "cuda_agrs";
  c.about = "built-in CUDA subject, merge as all-gather and reduce-scatter in the model dtype";
  c.merge_by_total_lse = true;
  c.merge_in_model_dtype = true;
  return c;
}

constexpr Contract flashmla() {
  Contract c = tensor_core();
  c.name = "flashmla";
  c.about = "FlashMLA dense decoding: 16-bit P, tiles of 64 keys, lse = +inf when empty";
  c.empty = EmptyShard::plus_inf;
  return c;
}

constexpr Contract flashinfer() {
  Contract c = tensor_core();
  c.name = "flashinfer";
  c.about = "FlashInfer MLA: row sum from rounded P, o undefined when empty";
  c.sum_from_rounded_p = true;
  c.empty = EmptyShard::undefined_o;
  return c;
}

constexpr Contract trtllm() {
  Contract c = tensor_core();
  c.name = "trtllm";
  c.about = "TensorRT-LLM: fp32 rotary angles, sums over ranks in the model dtype";
  c.tile = 128;
  c.sum_from_rounded_p = true;
  c.rope_angle = RopeAngle::fp32;
  c.reduce_in_model_dtype = true;
  c.empty = EmptyShard::undefined_o;
  return c;
}

constexpr Contract unknown() {
  Contract c;
  c.name = "unknown";
  c.about = "nothing is known: sound for all that merge in fp32, and the least sharp";
  c.u_acc = kTruncating;
  c.block = 1;
  c.extra = 68;
  c.tile = 1;
  c.p_model = true;
  c.sum_from_rounded_p = true;
  c.eps_exp = 1e-4;  // polynomial exponentials
  c.least_exp = 0x1p-126;
  c.rope_angle = RopeAngle::fp32;
  c.rope_table_unit = 0x1p-7;  // a bf16 table and bf16 products
  c.norm_rounds_first = true;
  c.merge_by_total_lse = true;
  c.reduce_in_model_dtype = true;
  c.empty = EmptyShard::undefined_o;
  return c;
}

constexpr std::array kContracts{cpu(),      cpu_p16(),    cuda(),   cuda_agrs(),
                                flashmla(), flashinfer(), trtllm(), unknown()};

}  // namespace

std::span<const Contract> contracts() {
  return kContracts;
}

const Contract& find_contract(std::string_view name) {
  const auto found = std::find_if(kContracts.begin(), kContracts.end(),
                                  [&](const Contract& c) { return c.name == name; });
  if (found != kContracts.end()) return *found;
  std::string message = "contract '" + std::string(name) + "' is not known; the known ones are";
  for (const Contract& c : kContracts) {
    message += (&c == kContracts.data() ? " " : ", ") + std::string(c.name);
  }
  throw InputError(message);
}

}  // namespace helixcheck
