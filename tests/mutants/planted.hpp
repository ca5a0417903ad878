// Mutants of the tests' own: one that every case shows, one that some do, one that is right.

#pragma once

#include "subject/canary.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/mutants/mutants.hpp"
#include "subject/views.hpp"

namespace helixcheck::planted {

inline int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
                  const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  return cpu::subject().create(instance, model, places, weights, limits, error);
}
inline void destroy(void* instance) {
  cpu::subject().destroy(instance);
}

// The merged LSE of the first row and head is one too large.
inline int shift_lse(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_tensor& lse = ranks[i]->combined_lse;
    if (lse.data != nullptr && ranks[i]->rows > 0) float_at(lse, 0, 0) += 1;
  }
  return status;
}

// Rank 0 of two or more merges as if it had seen nothing but its own keys.
inline int own_share(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    for (std::int64_t row = 0; step.place->kvp > 1 && row < step.rows; ++row) {
      for (std::int64_t head = 0; head < step.place->owned_heads; ++head) {
        std::copy_n(at(step.exchanged, 0, row, head),
                    step.model->kv_lora_rank * element_bytes(step.combined),
                    at(step.combined, row, head));
      }
    }
  }
  return status;
}

inline constexpr hxc_entry kShift[] = {{HXC_COMBINE, HXC_COMBINE, shift_lse}};
inline constexpr hxc_entry kOwn[] = {{HXC_COMBINE, HXC_COMBINE, own_share}};
inline constexpr hxc_entry kRight[] = {{HXC_ATTEND, HXC_ATTEND, cpu::attend}};

inline constexpr hxc_subject table(const char* name, const hxc_entry* entries) {
  return {HXC_ABI_VERSION, HXC_HOST, name, "cpu", 1, entries, create, nullptr, destroy};
}
inline constexpr hxc_subject kShiftTable = table("shift", kShift);
inline constexpr hxc_subject kOwnTable = table("own", kOwn);
inline constexpr hxc_subject kRightTable = table("right", kRight);

inline constexpr Mutant shift{"shift", "the LSE is shifted", MutantClass::merge, "", HXC_COMBINE,
                              "",      &kShiftTable};
inline constexpr Mutant own{
    "own", "one partial is all", MutantClass::merge, "", HXC_COMBINE, "kvp=2", &kOwnTable};
inline constexpr Mutant right{"right", "nothing",   MutantClass::precision, "", HXC_ATTEND,
                              "",      &kRightTable};
inline const Mutant canary{
    "canary",           "a key is lost",
    MutantClass::masks, "",
    HXC_ATTEND,         "kvp=3 dtype=fp16 kv_cache_dtype=fp16 kv_cache_tokens_per_block=2",
    &canary_subject()};

}  // namespace helixcheck::planted
