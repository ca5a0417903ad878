// Shapes of published models, from their configuration files.

#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

RopeScaling yarn(double factor, double beta_fast, double mscale) {
  RopeScaling scaling;
  scaling.factor = factor;
  scaling.beta_fast = beta_fast;
  scaling.mscale = mscale;
  scaling.mscale_all_dim = mscale;
  return scaling;
}

Problem deepseek(std::int64_t hidden_size, std::int64_t num_heads, std::int64_t q_lora_rank,
                 double mscale) {
  Problem problem;
  problem.hidden_size = hidden_size;
  problem.num_heads = num_heads;
  problem.q_lora_rank = q_lora_rank;
  problem.rope_scaling = yarn(40, 32, mscale);
  return problem;
}

// Kimi K2 keeps the DeepSeek-V3 layer with half the heads; its YaRN ramp is a step (beta 1 and 1).
Problem kimi_k2() {
  Problem problem = deepseek(7168, 64, 1536, 1.0);
  problem.rope_theta = 5e4;
  problem.rope_scaling = yarn(32, 1, 1.0);
  return problem;
}

Problem glm(std::int64_t hidden_size, std::int64_t num_heads, std::int64_t q_lora_rank,
            double rope_theta) {
  Problem problem;
  problem.hidden_size = hidden_size;
  problem.num_heads = num_heads;
  problem.q_lora_rank = q_lora_rank;
  problem.qk_nope_head_dim = 192;
  problem.v_head_dim = 256;
  problem.rms_norm_eps = 1e-5;
  problem.rope_theta = rope_theta;
  return problem;
}

void copy_shape(const Problem& from, Problem& to) {
  to.hidden_size = from.hidden_size;
  to.num_heads = from.num_heads;
  to.q_lora_rank = from.q_lora_rank;
  to.kv_lora_rank = from.kv_lora_rank;
  to.qk_nope_head_dim = from.qk_nope_head_dim;
  to.qk_rope_head_dim = from.qk_rope_head_dim;
  to.v_head_dim = from.v_head_dim;
  to.rms_norm_eps = from.rms_norm_eps;
  to.rope_theta = from.rope_theta;
  to.rope_interleave = from.rope_interleave;
  to.rope_scaling = from.rope_scaling;
}

}  // namespace

std::span<const ModelShape> model_shapes() {
  static const std::array<ModelShape, 8> shapes{{
      {"deepseek-v2-lite", deepseek(2048, 16, 0, 0.707)},
      // Disputed: copies of the V2 configuration give mscale as 0.707 or leave it at 1.
      {"deepseek-v2", deepseek(5120, 128, 1536, 0.707)},
      {"deepseek-v3", deepseek(7168, 128, 1536, 1.0)},
      {"deepseek-r1", deepseek(7168, 128, 1536, 1.0)},
      {"v3-lite", Problem{}},  // the defaults are this model
      {"kimi-k2", kimi_k2()},
      {"glm-5", glm(6144, 64, 2048, 8e6)},
      {"glm-4.7-flash", glm(2048, 20, 768, 1e6)},
  }};
  return shapes;
}

void apply_model(std::string_view name, Problem& problem) {
  std::string known;
  for (const ModelShape& shape : model_shapes()) {
    if (shape.name == name) {
      copy_shape(shape.problem, problem);
      return;
    }
    known += known.empty() ? "" : ", ";
    known += shape.name;
  }
  throw InputError(fmt::format("unknown model \"{}\"; the known ones are {}", name, known));
}

}  // namespace helixcheck
