// Features of the model: dimensions, formats, RoPE, softmax scale.

#include <array>

#include "generate/feature_groups.hpp"

namespace helixcheck::feature_groups {
namespace {

Problem& problem(Draft& d) {
  return d.scenario.problem;
}

// Every third time one of the round values that kernels are written for.
std::int64_t round_or(Draft& d, std::initializer_list<std::int64_t> round, std::int64_t low,
                      std::int64_t high) {
  return d.choices.one_in(3) ? d.choices.of(round) : d.choices.between(low, high);
}

constexpr std::array kLatent{
    Level{"9 to 32", 4,
          [](Draft& d) {
            problem(d).kv_lora_rank = round_or(d, {16, 32}, 9, 32);
          }},
    Level{"1", 1, [](Draft& d) { problem(d).kv_lora_rank = 1; }},
    Level{"2 to 8", 4, [](Draft& d) { problem(d).kv_lora_rank = d.choices.between(2, 8); }},
    Level{"33 to 96", 1,
          [](Draft& d) {
            problem(d).kv_lora_rank = round_or(d, {64, 96}, 33, 96);
          }},
};

constexpr std::array kRope{
    Level{"4 or 8", 3,
          [](Draft& d) {
            problem(d).qk_rope_head_dim = d.choices.of<std::int64_t>({4, 8});
          }},
    Level{"2", 3, [](Draft& d) { problem(d).qk_rope_head_dim = 2; }},
    Level{"6 to 20", 1,
          [](Draft& d) { problem(d).qk_rope_head_dim = 2 * d.choices.between(3, 10); }},
    Level{"64", 1, [](Draft& d) { problem(d).qk_rope_head_dim = 64; }},
};

// At `core` the un-roped dimension sets the softmax scale, so it varies there too.
constexpr std::array kNope{
    Level{"5 to 16", 3,
          [](Draft& d) {
            problem(d).qk_nope_head_dim = round_or(d, {8, 16}, 5, 16);
          }},
    Level{"1 to 4", 2, [](Draft& d) { problem(d).qk_nope_head_dim = d.choices.between(1, 4); }},
    Level{"17 to 40", 1, [](Draft& d) { problem(d).qk_nope_head_dim = d.choices.between(17, 40); }},
};

constexpr std::array kValue{
    Level{"as nope", 2, [](Draft& d) { problem(d).v_head_dim = problem(d).qk_nope_head_dim; }},
    Level{"1 to 4", 1, [](Draft& d) { problem(d).v_head_dim = d.choices.between(1, 4); }},
    Level{"other", 2,
          [](Draft& d) {
            const std::int64_t nope = problem(d).qk_nope_head_dim;
            problem(d).v_head_dim = nope + d.choices.between(1, 9);
          }},
};

constexpr std::array kHidden{
    Level{"9 to 40", 3,
          [](Draft& d) {
            problem(d).hidden_size = round_or(d, {16, 32}, 9, 40);
          }},
    Level{"1 to 8", 2, [](Draft& d) { problem(d).hidden_size = d.choices.between(1, 8); }},
    Level{"41 to 96", 1, [](Draft& d) { problem(d).hidden_size = d.choices.between(41, 96); }},
};

constexpr std::array kQueryLora{
    Level{"none", 2, [](Draft&) {}},
    Level{"1 to 4", 1, [](Draft& d) { problem(d).q_lora_rank = d.choices.between(1, 4); }},
    Level{"5 to 30", 1, [](Draft& d) { problem(d).q_lora_rank = d.choices.between(5, 30); }},
};

void set_dtype(Draft& d, Dtype dtype) {
  problem(d).dtype = dtype;
  problem(d).kv_cache_dtype = dtype;
}

constexpr std::array kDtype{
    Level{"bf16", 3, [](Draft& d) { set_dtype(d, Dtype::bf16); }},
    Level{"fp16", 2, [](Draft& d) { set_dtype(d, Dtype::fp16); }},
    Level{"fp32", 2, [](Draft& d) { set_dtype(d, Dtype::fp32); }},
};

void set_fp8(Draft& d, double scale) {
  problem(d).kv_cache_dtype = Dtype::fp8_e4m3;
  problem(d).kv_scale = scale;
}

constexpr std::array kKvFormat{
    Level{"dtype", 4, [](Draft&) {}},
    Level{"fp8, scale 1", 1, [](Draft& d) { set_fp8(d, 1); }},
    Level{"fp8, scale a power of two", 1,
          [](Draft& d) {
            set_fp8(d, d.choices.of({0.0625, 0.5, 4.0}));
          }},
    Level{"fp8, other scale", 1,
          [](Draft& d) {
            set_fp8(d, d.choices.of({0.03, 0.06, 0.7, 3.0}));
          }},
};

constexpr std::array kRopeStyle{
    Level{"interleaved", 1, [](Draft&) {}},
    Level{"halves", 1, [](Draft& d) { problem(d).rope_interleave = false; }},
};

constexpr std::array kTheta{
    Level{"1e4", 3, [](Draft&) {}},
    Level{"5e4 to 1e6", 1,
          [](Draft& d) {
            problem(d).rope_theta = d.choices.of({5e4, 5e5, 1e6});
          }},
    Level{"2 to 100", 1,
          [](Draft& d) {
            problem(d).rope_theta = d.choices.of({2.0, 10.0, 100.0});
          }},
};

// Everything but the two factors, which decide between published conventions.
RopeScaling draw_yarn(Draft& d) {
  RopeScaling yarn;
  yarn.factor = d.choices.of({40.0, 4.0, 64.0});
  yarn.beta_fast = d.choices.of({32.0, 1.0});
  yarn.original_max_position_embeddings = d.choices.of<std::int64_t>({4096, 64, 8192, 131072});
  return yarn;
}

constexpr std::array kYarn{
    Level{"none", 3, [](Draft&) {}},
    Level{"equal factors", 2, [](Draft& d) { problem(d).rope_scaling = draw_yarn(d); }},
    Level{"unequal factors", 1,
          [](Draft& d) {
            problem(d).rope_scaling = draw_yarn(d);
            problem(d).rope_scaling->mscale_all_dim = 0.707;
          }},
    Level{"absent factors", 1,
          [](Draft& d) {
            problem(d).rope_scaling = draw_yarn(d);
            problem(d).rope_scaling->mscale = std::nullopt;
            problem(d).rope_scaling->mscale_all_dim = std::nullopt;
          }},
    Level{"zero factors", 1,
          [](Draft& d) {
            problem(d).rope_scaling = draw_yarn(d);
            problem(d).rope_scaling->mscale = 0.0;
            if (d.choices.below(2) == 1) problem(d).rope_scaling->mscale_all_dim = 0.0;
          }},
    Level{"factor 1", 1,
          [](Draft& d) {
            problem(d).rope_scaling = draw_yarn(d);
            problem(d).rope_scaling->factor = 1;
            problem(d).rope_scaling->beta_slow = d.choices.of({1.0, 0.5});
          }},
};

constexpr std::array kScale{
    Level{"derived", 4, [](Draft&) {}},
    Level{"given", 1,
          [](Draft& d) {
            problem(d).softmax_scale = d.choices.of({0.1, 1.0, 0.0625, 0.3});
          }},
};

constexpr std::array kEpsilon{
    Level{"1e-6", 4, [](Draft&) {}},
    Level{"other", 1,
          [](Draft& d) {
            problem(d).rms_norm_eps = d.choices.of({1e-5, 1e-12, 0.1});
          }},
};

// Positions that bf16, fp16 or fp32 angles can no longer tell from their neighbours.
constexpr std::array kPositionBase{
    Level{"0", 4, [](Draft&) {}},
    Level{"1", 1, [](Draft& d) { problem(d).position_base = 1; }},
    Level{"255 to 257", 1,
          [](Draft& d) { problem(d).position_base = d.choices.between(255, 257); }},
    Level{"47999 to 131072", 1,
          [](Draft& d) {
            problem(d).position_base =
                d.choices.of<std::int64_t>({47999, 65535, 65536, 131071, 131072});
          }},
    Level{"about 2^20", 1,
          [](Draft& d) { problem(d).position_base = 1048576 - d.choices.between(0, 300); }},
};

constexpr std::array kModel{
    Feature{"kv_lora_rank", true, true, true, kLatent},
    Feature{"qk_rope_head_dim", false, true, true, kRope},
    Feature{"qk_nope_head_dim", false, true, true, kNope},
    Feature{"v_head_dim", false, false, true, kValue},
    Feature{"hidden_size", false, false, true, kHidden},
    Feature{"q_lora_rank", false, false, true, kQueryLora},
    Feature{"dtype", true, true, true, kDtype},
    Feature{"kv_format", false, true, true, kKvFormat},
    Feature{"rope_style", false, false, true, kRopeStyle},
    Feature{"rope_theta", false, false, true, kTheta},
    Feature{"rope_scaling", false, true, true, kYarn},
    Feature{"softmax_scale", false, true, true, kScale},
    Feature{"rms_norm_eps", false, false, true, kEpsilon},
    Feature{"position_base", false, false, true, kPositionBase},
};

}  // namespace

std::span<const Feature> model() {
  return kModel;
}

}  // namespace helixcheck::feature_groups
