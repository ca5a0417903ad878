// Faults of positions, rotary embeddings and the softmax scale.

#include <cmath>
#include <numbers>

#include "mla/formats.hpp"
#include "subject/cpu/attend.hpp"
#include "subject/cpu/project.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/plan.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AttendDecisions;
using cpu::ProjectDecisions;
using cpu::Rotation;

// Plan.

// The counter of steps is one behind from the second one on.
struct RepeatedPosition : PlanDecisions {
  static std::int64_t position(const PlannedRow& row) {
    const bool later = row.asked().cached > row.asked().prompt_len;
    return PlanDecisions::position(row) - (later ? 1 : 0);
  }
};
struct DroppedOffset : PlanDecisions {
  static std::int64_t position(const PlannedRow& row) { return row.index; }
};

// Project.

template <typename OfQuery, typename OfKey>
struct Rotated : ProjectDecisions {
  using Query = OfQuery;
  using Key = OfKey;
};
template <typename Both>
using BothRotated = Rotated<Both, Both>;

bool owned(const hxc_step& step, std::int64_t row) {
  return int_at(step.slot, row) >= 0;
}

struct OwnersOnly : Rotation {
  static bool applies(const hxc_step& step, std::int64_t row) { return owned(step, row); }
};
struct QueryOfOwnersOnly : ProjectDecisions {
  static bool makes_query(const hxc_step& step, std::int64_t row) { return owned(step, row); }
};
// Where the row lies in this rank's own list; of a prompt, which comes in chunks, in its chunk. A
// lone rank's list is that of the request.
std::int64_t local_position(const hxc_step& step, std::int64_t row) {
  if (step.place->kvp == 1) return Rotation::position(step, row);
  const std::int64_t index = step.is_prompt != 0 ? row : int_at(step.visible, row) - 1;
  return step.model->position_base + std::max<std::int64_t>(index, 0);
}
struct LocalPosition : Rotation {
  static std::int64_t position(const hxc_step& step, std::int64_t row) {
    return local_position(step, row);
  }
};
struct LocalPositionOfNewTokens : Rotation {
  static std::int64_t position(const hxc_step& step, std::int64_t row) {
    return step.is_prompt != 0 ? Rotation::position(step, row) : local_position(step, row);
  }
};
struct OtherStyle : Rotation {
  static bool interleaved(const hxc_model& model) { return !Rotation::interleaved(model); }
};
struct Never : Rotation {
  static bool applies(const hxc_step&, std::int64_t) { return false; }
};
// A grid without the batch axis where each request has one token.
struct FirstRowOnly : Rotation {
  static bool applies(const hxc_step& step, std::int64_t row) {
    if (step.is_prompt != 0 || row == 0) return true;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      if (step.requests[r].query_tokens != 1) return true;
    }
    return false;
  }
};
struct Bf16Position : Rotation {
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    const double rounded = round_to(Dtype::bf16, static_cast<double>(position));
    const double angle = rounded * model.inv_freq[pair];
    return {static_cast<float>(std::cos(angle) * model.cos_scale),
            static_cast<float>(std::sin(angle) * model.cos_scale)};
  }
};
struct Bf16Frequency : Rotation {
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    const double frequency = round_to(Dtype::bf16, model.inv_freq[pair]);
    const double angle = static_cast<double>(position) * frequency;
    return {static_cast<float>(std::cos(angle) * model.cos_scale),
            static_cast<float>(std::sin(angle) * model.cos_scale)};
  }
};
// Angle and reduction in fp32, as fast intrinsics do.
struct FastAngle : Rotation {
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    constexpr float kTurn = 2 * std::numbers::pi_v<float>;
    const float angle = static_cast<float>(position) * static_cast<float>(model.inv_freq[pair]);
    const float reduced = angle - kTurn * std::nearbyint(angle / kTurn);
    const auto scale = static_cast<float>(model.cos_scale);
    return {std::cos(reduced) * scale, std::sin(reduced) * scale};
  }
};
// cos and sin come from a table of the model's max_position_embeddings, whose last row serves for
// what lies behind.
struct ShortTable : Rotation {
  static constexpr std::int64_t kPositions = 163840;  // DeepSeek-V3
  static std::int64_t position(const hxc_step& step, std::int64_t row) {
    return std::min(Rotation::position(step, row), kPositions - 1);
  }
};
double plain_scale(const hxc_model& model) {
  return 1 / std::sqrt(static_cast<double>(model.qk_nope_head_dim + model.qk_rope_head_dim));
}
// Whether the model has YaRN, as far as its frequencies tell: without it they are powers of one.
bool has_yarn(const hxc_model& model) {
  bool powers = model.inv_freq[0] == 1;
  for (std::int64_t pair = 2; pair < model.qk_rope_head_dim / 2; ++pair) {
    const double power = std::pow(model.inv_freq[1], pair);
    powers = powers && std::abs(model.inv_freq[pair] - power) < 1e-9 * power;
  }
  return model.cos_scale != 1 || !powers;
}
// mscale(mscale_all_dim), which the softmax scale has squared.
double mscale_of(const hxc_model& model) {
  return !has_yarn(model) ? 1 : std::sqrt(model.softmax_scale / plain_scale(model));
}
template <double (*magnitude)(const hxc_model&)>
struct OtherMagnitude : Rotation {
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    const double angle = static_cast<double>(position) * model.inv_freq[pair];
    return {static_cast<float>(std::cos(angle) * magnitude(model)),
            static_cast<float>(std::sin(angle) * magnitude(model))};
  }
};
double no_magnitude(const hxc_model&) {
  return 1;
}

// Attend.

template <double (*scale)(const hxc_model&)>
struct Scaled : AttendDecisions {
  static float score_scale(const hxc_model& model) { return static_cast<float>(scale(model)); }
};
// cos_scale = mscale(mscale) / mscale(mscale_all_dim).
double of_the_other_mscale(const hxc_model& model) {
  return model.softmax_scale * model.cos_scale * model.cos_scale;
}
double without_mscale(const hxc_model& model) {
  return has_yarn(model) ? plain_scale(model) : model.softmax_scale;
}
double not_squared(const hxc_model& model) {
  return model.softmax_scale / mscale_of(model);
}
double inverted(const hxc_model& model) {
  return 1 / model.softmax_scale;
}
double of_one_model(const hxc_model&) {
  return 0.07216878364870322;  // 1 / sqrt(128 + 64)
}

template <Text id, typename Decisions>
constexpr Mutant planning(std::string_view title, std::string_view source,
                          std::string_view smallest) {
  return mutant<id, HXC_PLAN, cpu::plan_with<Decisions>>(MutantClass::position, title, source,
                                                         smallest);
}
template <Text id, typename Decisions>
constexpr Mutant projecting(std::string_view title, std::string_view source,
                            std::string_view smallest) {
  return mutant<id, HXC_PROJECT, cpu::project_with<Decisions>>(MutantClass::position, title, source,
                                                               smallest);
}
template <Text id, double (*scale)(const hxc_model&)>
constexpr Mutant scaling(std::string_view title, std::string_view source,
                         std::string_view smallest) {
  return mutant<id, HXC_ATTEND, cpu::attend_with<Scaled<scale>>>(MutantClass::position, title,
                                                                 source, smallest);
}

constexpr Mutant kMutants[] = {
    planning<"position_repeated", RepeatedPosition>("generated positions run L, L, L + 1, ...",
                                                    "NVIDIA/TensorRT-LLM#17811", "decode_steps=2"),
    planning<"position_offset_dropped", DroppedOffset>(
        "the offset of a request's positions is used for its prompt only",
        "NVIDIA/TensorRT-LLM#15661", "position_base=1"),
    projecting<"query_rotated_by_owners_only", Rotated<OwnersOnly, Rotation>>(
        "ranks that do not own a token do not rotate its query", "ROCm/ATOM#847",
        "kvp=2 position_base=1"),
    projecting<"query_made_by_owners_only", QueryOfOwnersOnly>(
        "ranks that do not own a token leave its query unwritten", "ROCm/aiter#4342", "kvp=2"),
    projecting<"key_rotated_by_local_position", Rotated<Rotation, LocalPosition>>(
        "keys are rotated by their place in the rank's own list", "sgl-project/sglang#32098",
        "kvp=2 ctx_len=1"),
    projecting<"new_key_rotated_by_local_position", Rotated<Rotation, LocalPositionOfNewTokens>>(
        "new keys are rotated by their place in the rank's own list", "sgl-project/sglang#32098",
        "kvp=2 ctx_len=1"),
    projecting<"key_rope_style_swapped", Rotated<Rotation, OtherStyle>>(
        "keys are rotated in the other pairing of dimensions", "vllm-project/vllm-ascend#4641",
        "qk_rope_head_dim=4 position_base=1"),
    projecting<"rope_style_swapped", BothRotated<OtherStyle>>(
        "queries and keys are rotated in the other pairing of dimensions", "xLLM-AI/xllm#853",
        "qk_rope_head_dim=4 position_base=1"),
    projecting<"rope_never_applied", BothRotated<Never>>("nothing is rotated", "sqliteai/warp#27",
                                                         "position_base=1"),
    projecting<"rope_of_first_row_only", BothRotated<FirstRowOnly>>(
        "of a batch of single tokens only the first is rotated", "ml-explore/mlx#3795",
        "ctx_len=0,0 position_base=1"),
    projecting<"rope_position_in_bf16", BothRotated<Bf16Position>>(
        "positions are rounded to bf16", "huggingface/candle#3520", "position_base=257"),
    projecting<"rope_frequency_in_bf16", BothRotated<Bf16Frequency>>(
        "inverse frequencies are rounded to bf16", "sgl-project/sglang-jax#1473",
        "qk_rope_head_dim=4 position_base=6 seed=5"),
    projecting<"rope_fast_trigonometry", BothRotated<FastAngle>>(
        "far angles are reduced in fp32", "kekzl/imp#1316", "position_base=171 seed=3"),
    projecting<"rope_table_too_short", BothRotated<ShortTable>>(
        "positions behind the table of cos and sin take its last row", "NVIDIA/TensorRT-LLM#11598",
        "position_base=163840"),
    projecting<"rope_magnitude_not_ratio", BothRotated<OtherMagnitude<mscale_of>>>(
        "cos and sin carry mscale(mscale_all_dim) instead of the ratio of both", "kekzl/imp#880",
        "rope_scaling=yarn mscale_all_dim=none"),
    projecting<"rope_magnitude_dropped", BothRotated<OtherMagnitude<no_magnitude>>>(
        "cos and sin carry no mscale", "ggml-org/llama.cpp#17945",
        "rope_scaling=yarn mscale_all_dim=none"),
    scaling<"scale_without_mscale", without_mscale>(
        "the softmax scale lacks the square of mscale", "huggingface/transformers#47435",
        "rope_scaling=yarn mscale_all_dim=none softmax_scale=1"),
    scaling<"scale_of_other_mscale", of_the_other_mscale>(
        "the softmax scale has mscale where mscale_all_dim is meant", "NVIDIA/Megatron-LM#1429",
        "rope_scaling=yarn mscale_all_dim=none"),
    scaling<"scale_mscale_not_squared", not_squared>(
        "the softmax scale has mscale once", "onnxruntime/mobius#548",
        "rope_scaling=yarn mscale_all_dim=none softmax_scale=1"),
    scaling<"scale_inverted", inverted>("scores are divided where they should be multiplied",
                                        "AI-Hypercomputer/maxtext#1370", ""),
    scaling<"scale_of_one_model", of_one_model>("the softmax scale is one model's constant",
                                                "NVIDIA/TensorRT-LLM#6881", ""),
};

}  // namespace

std::span<const Mutant> position() {
  return kMutants;
}

}  // namespace helixcheck::planted
