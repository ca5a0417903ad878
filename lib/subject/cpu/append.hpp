// Stage `append` as a template of its decisions, so that a mutant replaces exactly one of them.

#pragma once

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

struct AppendDecisions {
  static std::byte* address(const hxc_step& step, std::int64_t slot) {
    const std::int64_t page = step.place->tokens_per_block;
    return at(step.cache, slot / page, slot % page);
  }
  // What a stored code of 1 stands for.
  static float unit(const hxc_model& model) { return static_cast<float>(model.kv_scale); }
};

template <class Decisions>
int append_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t width = step.model->kv_lora_rank + step.model->qk_rope_head_dim;
    const float unit = Decisions::unit(*step.model);
    float* row = self.scratch.narrow.data();
    for (std::int64_t b = 0; b < step.rows; ++b) {
      const std::int64_t slot = int_at(step.slot, b);
      if (slot < 0) continue;
      widen_rows(step.latent, b, 1, row, width);
      if (unit != 1.0f) {
        for (std::int64_t j = 0; j < width; ++j) row[j] /= unit;
      }
      encode_from(dtype_of(step.cache), {row, static_cast<std::size_t>(width)},
                  Decisions::address(step, slot));
    }
  }
  return 0;
}

}  // namespace helixcheck::cpu
