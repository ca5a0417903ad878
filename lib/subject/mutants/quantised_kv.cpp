// Faults of caches that are stored in fewer bits, with a scale.

#include <algorithm>
#include <cmath>

#include "subject/cpu/append.hpp"
#include "subject/cpu/attend.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AppendDecisions;
using cpu::AttendDecisions;

struct WrittenUnscaled : AppendDecisions {
  static float unit(const hxc_model&) { return 1; }
};
struct WrittenInverse : AppendDecisions {
  static float unit(const hxc_model& model) { return 1 / AppendDecisions::unit(model); }
};
struct ReadUnscaled : AttendDecisions {
  static float unit(const hxc_model&) { return 1; }
};
struct ReadScaledTwice : AttendDecisions {
  static float unit(const hxc_model& model) {
    return AttendDecisions::unit(model) * AttendDecisions::unit(model);
  }
};
struct ValueUnscaled : AttendDecisions {
  static void finish(const hxc_model& model, float* values, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) values[j] /= AttendDecisions::unit(model);
  }
};

// The scale is made for the latent part: the roped part is cut where the largest of it lies.
int rope_part_cut(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::append(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    if (step.model->kv_dtype != HXC_FP8_E4M3) continue;
    const std::int64_t latent = step.model->kv_lora_rank;
    const std::int64_t width = latent + step.model->qk_rope_head_dim;
    std::vector<float> row(static_cast<std::size_t>(width));
    for (std::int64_t b = 0; b < step.rows; ++b) {
      if (int_at(step.slot, b) < 0) continue;
      std::byte* to = AppendDecisions::address(step, int_at(step.slot, b));
      decode_to(dtype_of(step.cache), to, row);
      float most = 0;
      for (std::int64_t j = 0; j < latent; ++j) {
        most = std::max(most, std::abs(row[static_cast<std::size_t>(j)]));
      }
      for (std::int64_t j = latent; j < width; ++j) {
        float& x = row[static_cast<std::size_t>(j)];
        x = std::clamp(x, -most, most);
      }
      encode_from(dtype_of(step.cache), row, to);
    }
  }
  return status;
}

template <Text id, typename Decisions>
constexpr Mutant writing(std::string_view title, std::string_view source) {
  return mutant<id, HXC_APPEND, cpu::append_with<Decisions>>(
      MutantClass::quantised_kv, title, source, "entry=core kv_cache_dtype=fp8_e4m3 kv_scale=2");
}
template <Text id, typename Decisions>
constexpr Mutant reading(std::string_view title, std::string_view source) {
  return mutant<id, HXC_ATTEND, cpu::attend_with<Decisions>>(
      MutantClass::quantised_kv, title, source, "kv_cache_dtype=fp8_e4m3 kv_scale=2");
}

constexpr Mutant kMutants[] = {
    writing<"kv_written_unscaled", WrittenUnscaled>("keys are stored without the scale",
                                                    "sgl-project/sglang#34765"),
    writing<"kv_written_inverse", WrittenInverse>("keys are stored times the scale",
                                                  "like sgl-project/sglang#34765"),
    reading<"kv_read_unscaled", ReadUnscaled>("keys and values are read without the scale",
                                              "flashinfer-ai/flashinfer#1023"),
    reading<"kv_read_scaled_twice", ReadScaledTwice>(
        "keys and values are read with the product of both scales", "vllm-project/vllm#37054"),
    reading<"kv_value_unscaled", ValueUnscaled>("values lack the scale that keys have",
                                                "sgl-project/sglang#34765"),
    mutant<"kv_rope_part_cut", HXC_APPEND, rope_part_cut>(
        MutantClass::quantised_kv, "the scale is made for the latent part and cuts the roped one",
        "vllm-project/vllm#42956", "entry=core kv_cache_dtype=fp8_e4m3 seed=2"),
};

}  // namespace

std::span<const Mutant> quantised_kv() {
  return kMutants;
}

}  // namespace helixcheck::planted
