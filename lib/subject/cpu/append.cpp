// Stage `append`: a token's owner stores its latent row in the paged cache, in the cache's format.

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

int append(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const hxc_model& model = *step.model;
    const std::int64_t width = model.kv_lora_rank + model.qk_rope_head_dim;
    const std::int64_t page = step.place->tokens_per_block;
    const auto scale = static_cast<float>(model.kv_scale);
    float* row = self.scratch.narrow.data();
    for (std::int64_t b = 0; b < step.rows; ++b) {
      const std::int64_t slot = int_at(step.slot, b);
      if (slot < 0) continue;
      widen_rows(step.latent, b, 1, row, width);
      if (scale != 1.0f) {
        for (std::int64_t j = 0; j < width; ++j) row[j] /= scale;
      }
      encode_from(dtype_of(step.cache), {row, static_cast<std::size_t>(width)},
                  at(step.cache, slot / page, slot % page));
    }
  }
  return 0;
}

}  // namespace helixcheck::cpu
