// Faults of formats and accumulators.

#include "mla/formats.hpp"
#include "subject/cpu/attend.hpp"
#include "subject/cpu/combine.hpp"
#include "subject/cpu/output.hpp"
#include "subject/cpu/project.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

float to_bf16(float value) {
  return static_cast<float>(round_to(Dtype::bf16, value));
}
float to_fp16(float value) {
  return static_cast<float>(round_to(Dtype::fp16, value));
}

struct PartialsInBf16 : cpu::AttendDecisions {
  static void finish(const hxc_model&, float* values, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) values[j] = to_bf16(values[j]);
  }
};
struct RowSumInBf16 : cpu::AttendDecisions {
  static float add(float sum, float probability) { return to_bf16(sum + probability); }
};
struct StatisticsInModelFormat : cpu::AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    AttendDecisions::write_statistics(step, row, head, maximum, sum);
    float* lse = &float_at(step.lse, row, head);
    lse[0] = static_cast<float>(round_to(dtype_of(step.partial_o), lse[0]));
  }
};
struct WeightInBf16 : cpu::MergeDecisions {
  static float weight(float lse, float reference) {
    return to_bf16(MergeDecisions::weight(lse, reference));
  }
};
struct MergedInBf16 : cpu::MergeDecisions {
  static float add(float sum, float share) { return to_bf16(sum + share); }
};
struct TableInBf16 : cpu::Rotation {
  static Angle angle(const hxc_model& model, std::int64_t position, std::int64_t pair) {
    const Angle exact = Rotation::angle(model, position, pair);
    return {to_bf16(exact.cosine), to_bf16(exact.sine)};
  }
};
struct RotatedByTable : cpu::ProjectDecisions {
  using Query = TableInBf16;
  using Key = TableInBf16;
};
struct SumInModelFormat : cpu::OutputDecisions {
  static float add(Dtype dtype, float sum, float share) {
    return static_cast<float>(round_to(dtype, sum + share));
  }
};
// Where the model is fp16, so are the sums: large activations overflow.
struct AbsorbedInFp16 : cpu::ProjectDecisions {
  static void absorb(const hxc_model& model, const float* nope, const cpu::Matrix& k_b,
                     float* query) {
    if (model.dtype != HXC_FP16) return ProjectDecisions::absorb(model, nope, k_b, query);
    for (std::int64_t r = 0; r < model.kv_lora_rank; ++r) {
      float sum = 0;
      for (std::int64_t j = 0; j < model.qk_nope_head_dim; ++j) {
        sum = to_fp16(sum + to_fp16(nope[j] * k_b.row(r)[j]));
      }
      query[r] = sum;
    }
  }
};

constexpr MutantClass kClass = MutantClass::precision;

constexpr Mutant kMutants[] = {
    mutant<"partials_in_bf16", HXC_ATTEND, cpu::attend_with<PartialsInBf16>>(
        kClass, "partial results are rounded to bf16", "zhuzilin/ring-flash-attention#42",
        "dtype=fp32 kv_cache_dtype=fp32"),
    mutant<"row_sum_in_bf16", HXC_ATTEND, cpu::attend_with<RowSumInBf16>>(
        kClass, "row sums are kept in bf16", "like vllm-project/tpu-inference#3212", "ctx_len=1"),
    mutant<"lse_in_bf16", HXC_ATTEND, cpu::attend_with<StatisticsInModelFormat>>(
        kClass, "LSEs have the format of activations", "local-inference-lab/vllm#339", ""),
    mutant<"merge_weight_in_bf16", HXC_COMBINE, cpu::combine_with<WeightInBf16>>(
        kClass, "weights of the merge are rounded to bf16", "vllm-project/tpu-inference#3212",
        "kvp=2"),
    mutant<"merge_accumulator_in_bf16", HXC_COMBINE, cpu::combine_with<MergedInBf16>>(
        kClass, "merged values are summed in bf16", "vllm-project/tpu-inference#3212",
        "kvp=2 seed=3"),
    mutant<"rope_table_in_bf16", HXC_PROJECT, cpu::project_with<RotatedByTable>>(
        kClass, "cos and sin are rounded to bf16", "huggingface/transformers#29285",
        "position_base=1"),
    mutant<"output_sum_in_model_format", HXC_OUTPUT, cpu::output_with<SumInModelFormat>>(
        kClass, "the sum over ranks is rounded after each of them", "tenstorrent/tt-metal#36749",
        "kvp=1 tpa=3"),
    mutant<"absorbed_in_fp16", HXC_PROJECT, cpu::project_with<AbsorbedInFp16>>(
        kClass, "absorbed queries of fp16 models are accumulated in fp16",
        "ggml-org/llama.cpp#12801", "dtype=fp16 kv_cache_dtype=fp16 qk_nope_head_dim=2"),
};

}  // namespace

std::span<const Mutant> precision() {
  return kMutants;
}

}  // namespace helixcheck::planted
