// Faults of the softmax statistics and of the merge that is weighed by them.

#include <cmath>
#include <limits>

#include "subject/cpu/attend.hpp"
#include "subject/cpu/combine.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AttendDecisions;
using cpu::MergeDecisions;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The merge.

struct WeightOfBase2 : MergeDecisions {
  static float weight(float lse, float reference) { return std::exp2(lse - reference); }
};
struct Log2TakenForLn : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    const bool log2 = step.place->lse_form == HXC_LSE_LOG2;
    return log2 ? float_at(step.exchanged_lse, part, row, head)
                : MergeDecisions::natural_lse(step, part, row, head);
  }
};
struct Log2ConvertedTwice : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    const float lse = MergeDecisions::natural_lse(step, part, row, head);
    return step.place->lse_form == HXC_LSE_LOG2 ? lse * std::numbers::ln2_v<float> : lse;
  }
};
struct EqualWeights : MergeDecisions {
  static float weight(float, float) { return 1; }
};
struct SumOnly : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    if (step.place->lse_form != HXC_LSE_MAX_SUM) {
      return MergeDecisions::natural_lse(step, part, row, head);
    }
    return std::log(float_at(step.exchanged_lse, part, row, head, 1));
  }
};
struct MaximumOnly : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    if (step.place->lse_form != HXC_LSE_MAX_SUM) {
      return MergeDecisions::natural_lse(step, part, row, head);
    }
    return float_at(step.exchanged_lse, part, row, head);
  }
};
// exp(-inf - -inf) where all partials are empty.
struct NoGuard : MergeDecisions {
  static bool counts(float lse, float top) {
    return lse != kMinusInfinity || top == kMinusInfinity;
  }
  static bool saw_keys(float) { return true; }
};
struct ZeroWeightMultiplied : MergeDecisions {
  static bool counts(float, float) { return true; }
  static float weight(float lse, float reference) {
    return reference == kMinusInfinity ? 0 : std::exp(lse - reference);
  }
};
struct EmptyRowDivided : MergeDecisions {
  static bool saw_keys(float) { return true; }
};
struct NoMaximum : MergeDecisions {
  static float reference(float) { return 0; }
};
// No merge: the rank's own partial is taken for the result.
struct OwnPartialOnly : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    return part == step.place->kvp_rank ? MergeDecisions::natural_lse(step, part, row, head)
                                        : kMinusInfinity;
  }
};
// [rows, heads] read as [heads, rows]; other shapes than square ones are refused.
struct TransposedStatistics : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    const bool square = step.rows == step.place->owned_heads;
    return MergeDecisions::natural_lse(step, part, square ? head : row, square ? row : head);
  }
};
// (request, head, token) reshaped to (request * token, head), not permuted.
struct ReshapedStatistics : MergeDecisions {
  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    const std::int64_t heads = step.place->owned_heads;
    const std::int64_t tokens = tokens_of_each_request(step);
    if (tokens < 2 || row >= step.rows - step.padding_rows) {
      return MergeDecisions::natural_lse(step, part, row, head);
    }
    const std::int64_t place = row % tokens * heads + head;
    return MergeDecisions::natural_lse(step, part, row - row % tokens + place % tokens,
                                       place / tokens);
  }
  // 0 where they differ: such kernels take equal ones only.
  static std::int64_t tokens_of_each_request(const hxc_step& step) {
    std::int64_t tokens = -1;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      const std::int64_t own = step.requests[r].query_tokens;
      if (tokens >= 0 && own != tokens) return 0;
      tokens = own;
    }
    return std::max<std::int64_t>(tokens, 0);
  }
};

// Partials are taken up one by one: lse + log(1 + exp(next - lse)), which has no maximum. An LSE of
// +inf leaves no weight to what it was made of, and after it weights are exp(inf - inf).
int ring_update(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::vector<float> values(static_cast<std::size_t>(step.model->kv_lora_rank));
    for (std::int64_t j = 0; j < step.rows * step.place->owned_heads; ++j) {
      const std::int64_t row = j / step.place->owned_heads, head = j % step.place->owned_heads;
      float lse = MergeDecisions::natural_lse(step, 0, row, head), value = 0;
      for (std::int64_t p = 1; p < step.exchanged.shape[0]; ++p) {
        const float next = MergeDecisions::natural_lse(step, p, row, head);
        if (next == -kInfinity) continue;
        if (lse == kInfinity) value = std::numeric_limits<float>::quiet_NaN();
        lse = lse == -kInfinity ? next : lse + std::log(1 + std::exp(next - lse));
      }
      if (lse != kInfinity) continue;
      float_at(step.combined_lse, row, head) = lse;
      std::fill(values.begin(), values.end(), value);
      encode_from(dtype_of(step.combined), values, at(step.combined, row, head));
    }
  }
  return status;
}

// The statistics that the merge is given.

template <typename Write>
void for_heads(const hxc_step& step, std::int64_t row, Write write) {
  for (std::int64_t h = 0; h < step.place->heads; ++h) write(&float_at(step.lse, row, h));
}

struct EmptyIsZero : AttendDecisions {
  static void write_empty(const hxc_step& step, std::int64_t row) {
    AttendDecisions::write_empty(step, row);
    for_heads(step, row, [](float* lse) { *lse = 0; });
  }
};
struct EmptyIsInfinite : AttendDecisions {
  static void write_empty(const hxc_step& step, std::int64_t row) {
    AttendDecisions::write_empty(step, row);
    for_heads(step, row, [](float* lse) { *lse = kInfinity; });
  }
};
struct EmptyIsFinite : AttendDecisions {
  static void write_empty(const hxc_step& step, std::int64_t row) {
    AttendDecisions::write_empty(step, row);
    for_heads(step, row, [](float* lse) { *lse = -49993.98f; });
  }
};
struct EmptyOutputUnwritten : AttendDecisions {
  static void write_empty(const hxc_step& step, std::int64_t row) {
    for_heads(step, row, [&](float* lse) {
      *lse = kMinusInfinity;
      if (step.place->lse_form == HXC_LSE_MAX_SUM) lse[step.lse.stride[2]] = 0;
    });
  }
};
struct StatisticsNotProduced : AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head, float,
                               float) {
    float* lse = &float_at(step.lse, row, head);
    *lse = 0;
    if (step.place->lse_form == HXC_LSE_MAX_SUM) lse[step.lse.stride[2]] = 1;
  }
};
struct LnWrittenInBase2 : AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    AttendDecisions::write_statistics(step, row, head, maximum, sum);
    if (step.place->lse_form != HXC_LSE_LN) return;
    float_at(step.lse, row, head) *= std::numbers::log2e_v<float>;
  }
};
// The exported maximum is that of scores / sqrt(head width), whatever else scales them.
struct MaximumOfOtherScale : AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    const hxc_model& model = *step.model;
    const double plain =
        1 / std::sqrt(static_cast<double>(model.qk_nope_head_dim + model.qk_rope_head_dim));
    const bool pair = step.place->lse_form == HXC_LSE_MAX_SUM;
    const auto factor = static_cast<float>(pair ? plain / model.softmax_scale : 1);
    AttendDecisions::write_statistics(step, row, head, maximum * factor, sum);
  }
};

// Steps of several tokens a request go to another kernel, whose LSEs are natural.
struct NaturalForDrafts : AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    AttendDecisions::write_statistics(step, row, head, maximum, sum);
    const hxc_request& request = step.requests[int_at(step.row_request, row)];
    if (step.place->lse_form != HXC_LSE_LOG2 || request.query_tokens < 2) return;
    float_at(step.lse, row, head) = maximum + std::log(sum);
  }
};
// Where keys are split, what is kept of each part are sums of exp(score), without a maximum.
struct SplitOverflows : AttendDecisions {
  static void write_statistics(const hxc_step& step, std::int64_t row, std::int64_t head,
                               float maximum, float sum) {
    const bool split = int_at(step.visible, row) > cpu::kTile;
    AttendDecisions::write_statistics(step, row, head, split ? 0 : maximum,
                                      split ? sum * std::exp(maximum) : sum);
  }
};

// One partial of zeros with LSE 0 for each of `more` chunks enters a row's result.
void add_empty_partials(const hxc_step& step, std::int64_t row, float more,
                        std::vector<float>& values) {
  const bool pair = step.place->lse_form == HXC_LSE_MAX_SUM;
  const bool log2 = step.place->lse_form == HXC_LSE_LOG2;
  for (std::int64_t h = 0; h < step.place->heads; ++h) {
    float* lse = &float_at(step.lse, row, h);
    const float maximum = log2 ? *lse * std::numbers::ln2_v<float> : *lse;
    const float sum = pair ? lse[step.lse.stride[2]] : 1;
    const float all = sum + more * std::exp(-maximum);
    AttendDecisions::write_statistics(step, row, h, maximum, all);
    std::byte* to = at(step.partial_o, row, h);
    decode_to(dtype_of(step.partial_o), to, values);
    for (float& value : values) value *= sum / all;
    encode_from(dtype_of(step.partial_o), values, to);
  }
}

// The batch goes through its keys in chunks: for each in which a request has none left, its rows
// get a partial of zeros with LSE 0.
int exhausted_chunks_count(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const auto chunks = [&step](std::int64_t request) {
      return (int_at(step.local_len, request) + cpu::kTile - 1) / cpu::kTile;
    };
    std::int64_t most = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) most = std::max(most, chunks(r));
    std::vector<float> values(static_cast<std::size_t>(step.model->kv_lora_rank));
    for (std::int64_t b = 0; b < step.rows; ++b) {
      if (int_at(step.visible, b) == 0) continue;
      const std::int64_t more = most - chunks(int_at(step.row_request, b));
      if (more > 0) add_empty_partials(step, b, static_cast<float>(more), values);
    }
  }
  return status;
}

// Where single tokens' keys are split, the output is right and its statistics lie [heads, rows].
int grouped_statistics(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    if (several_tokens(step) || !splits_keys(step)) continue;
    const std::int64_t heads = step.place->heads;
    std::vector<float> values;
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t b = 0; b < step.rows; ++b) values.push_back(float_at(step.lse, b, h));
    }
    for (std::int64_t j = 0; j < step.rows * heads; ++j) {
      float_at(step.lse, j / heads, j % heads) = values[static_cast<std::size_t>(j)];
    }
  }
  return status;
}

// LSEs lie [heads, rows]. A request without keys here leaves -inf where they would lie if they were
// [requests, heads, rows of the request with most].
int empty_marks_another_row(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t heads = step.place->heads;
    std::int64_t most = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      most = std::max(most, step.requests[r].query_tokens);
    }
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      if (int_at(step.local_len, r) > 0) continue;
      for (std::int64_t h = 0; h < heads; ++h) {
        for (std::int64_t token = 0; token < step.requests[r].query_tokens; ++token) {
          const std::int64_t place = (r * heads + h) * most + token;
          if (place >= heads * step.rows) continue;  // behind the LSEs
          float_at(step.lse, place % step.rows, place / step.rows) = -kInfinity;
        }
      }
    }
  }
  return status;
}

template <Text id, typename Decisions>
constexpr Mutant merging(std::string_view title, std::string_view source,
                         std::string_view smallest) {
  return mutant<id, HXC_COMBINE, cpu::combine_with<Decisions>>(MutantClass::merge, title, source,
                                                               smallest);
}
template <Text id, typename Decisions>
constexpr Mutant attending(std::string_view title, std::string_view source,
                           std::string_view smallest) {
  return mutant<id, HXC_ATTEND, cpu::attend_with<Decisions>>(MutantClass::merge, title, source,
                                                             smallest);
}

constexpr Mutant kMutants[] = {
    merging<"merge_weight_base_2", WeightOfBase2>("natural LSEs are weighed with powers of 2",
                                                  "vllm-project/vllm#28840", "kvp=2"),
    merging<"merge_log2_taken_for_ln", Log2TakenForLn>("LSEs of base 2 are merged as natural ones",
                                                       "vllm-project/vllm#47079",
                                                       "kvp=2 lse_form=log2"),
    merging<"merge_log2_converted_twice", Log2ConvertedTwice>(
        "LSEs of base 2 are converted by the kernel and again by the merge",
        "sgl-project/sglang#33926", "kvp=2 lse_form=log2"),
    merging<"merge_equal_weights", EqualWeights>("partials are averaged, whatever their LSEs",
                                                 "sgl-project/sglang#34355", "kvp=2"),
    merging<"merge_sum_only", SumOnly>("of (maximum, sum) pairs only the sum weighs",
                                       "like sgl-project/sglang#34355", "kvp=2 lse_form=max_sum"),
    merging<"merge_maximum_only", MaximumOnly>("of (maximum, sum) pairs only the maximum weighs",
                                               "like sgl-project/sglang#34355",
                                               "kvp=2 lse_form=max_sum"),
    merging<"merge_both_empty_nan", NoGuard>("two partials without keys merge to NaN",
                                             "vllm-project/vllm#27491", "kvp=2 seed=0"),
    merging<"merge_zero_weight_times_nan", ZeroWeightMultiplied>(
        "a NaN under weight zero is multiplied, not left out", "ROCm/ATOM#1832", "kvp=2 seed=0"),
    merging<"merge_empty_row_divided", EmptyRowDivided>(
        "a row without keys is divided by its sum of zero", "vllm-project/vllm#57094",
        "kvp=2 seed=0"),
    merging<"merge_without_maximum", NoMaximum>(
        "weights are not relative to the largest LSE and overflow", "NVIDIA/TransformerEngine#716",
        "kvp=2 logit_gain=64"),
    mutant<"merge_ring_update_overflow", HXC_COMBINE, ring_update>(
        MutantClass::merge, "LSEs are merged by log(1 + exp(difference)), which overflows",
        "jzhang38/EasyContext#14", "kvp=2 logit_gain=64 seed=3"),
    merging<"merge_own_partial_only", OwnPartialOnly>(
        "each rank takes its own partial for the result", "local-inference-lab/vllm#72", "kvp=2"),
    merging<"merge_statistics_transposed", TransposedStatistics>(
        "statistics [rows, heads] are read as [heads, rows] where both are equal",
        "vllm-project/vllm#57012", "num_heads=2 batch=2"),
    merging<"merge_statistics_reshaped", ReshapedStatistics>(
        "statistics (request, head, token) are reshaped, not permuted", "vllm-project/vllm#46178",
        "entry=core num_heads=2 predicted_tokens_per_seq=2"),
    attending<"lse_of_empty_shard_zero", EmptyIsZero>("a shard without keys has LSE 0",
                                                      "vllm-project/vllm#38416", "padding_rows=1"),
    attending<"lse_of_empty_shard_infinite", EmptyIsInfinite>(
        "a shard without keys has LSE +inf and wins", "deepseek-ai/FlashMLA#77", "padding_rows=1"),
    attending<"lse_of_empty_shard_finite", EmptyIsFinite>(
        "a shard without keys has a large negative LSE", "flashinfer-ai/flashinfer#4452",
        "padding_rows=1"),
    attending<"output_of_empty_shard_unwritten", EmptyOutputUnwritten>(
        "a shard without keys leaves its output as it was", "flashinfer-ai/flashinfer#4975",
        "padding_rows=1"),
    attending<"lse_not_produced", StatisticsNotProduced>("the kernel leaves its LSEs zero",
                                                         "sgl-project/sglang#34355", ""),
    attending<"lse_ln_written_in_base_2", LnWrittenInBase2>(
        "LSEs that should be natural have base 2", "flashinfer-ai/flashinfer#4663", ""),
    attending<"lse_base_by_token_count", NaturalForDrafts>(
        "LSEs of base 2 are natural where requests have several tokens",
        "flashinfer-ai/flashinfer#4485", "lse_form=log2 predicted_tokens_per_seq=2"),
    attending<"lse_of_split_keys_overflows", SplitOverflows>(
        "LSEs of rows whose keys are split overflow for large scores", "NVIDIA/cutlass#2274",
        "ctx_len=64 logit_gain=32"),
    mutant<"lse_exhausted_chunk_counts", HXC_ATTEND, exhausted_chunks_count>(
        MutantClass::merge, "a chunk in which a request has no keys left counts as one of LSE 0",
        "vllm-project/vllm#49294", "ctx_len=0,64"),
    attending<"lse_maximum_of_other_scale", MaximumOfOtherScale>(
        "the exported maximum lacks the part of the scale that YaRN adds",
        "NVIDIA/TensorRT-LLM#19112", "lse_form=max_sum softmax_scale=1"),
    mutant<"lse_grouped_layout", HXC_ATTEND, grouped_statistics>(
        MutantClass::merge, "where single tokens' keys are split, LSEs lie [heads, rows]",
        "vllm-project/flash-attention#87", "num_heads=2 ctx_len=0,64"),
    mutant<"lse_empty_marks_another_row", HXC_ATTEND, empty_marks_another_row>(
        MutantClass::merge, "a request without keys writes -inf into another one's LSE",
        "Dao-AILab/flash-attention#2842", "kvp=2 ctx_len=0,1"),
};

}  // namespace

std::span<const Mutant> merge() {
  return kMutants;
}

}  // namespace helixcheck::planted
