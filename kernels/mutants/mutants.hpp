// Faults that only device code has, planted in the CUDA subject: tables of one stage each, which
// are put over `cuda` by the id that the registry (lib/subject/mutants) has for them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/subject/instance.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

std::span<const hxc_subject> mutants();

namespace planted {

// Kernels of other engines cut keys into smaller parts than the planner here: into as many as there
// can be, so that merges of parts do not wait for long contexts.
struct FinelySplit : Instance {
  FinelySplit(const hxc_model& model, const hxc_rank* const* places,
              const hxc_weights* const* given, const hxc_limits& limits);
};

// Keeps the requests of a step.
struct Remembering : Instance {
  Remembering(const hxc_model& model, const hxc_rank* const* places,
              const hxc_weights* const* given, const hxc_limits& limits);
  std::int64_t rows = -1;  // of that step; -1: there was none in this scenario
  std::vector<hxc_request> requests;
};

// Asked for once before a scenario begins: an instance may have served others, and their requests
// must not strike in this one.
std::size_t forget(void* remembering);

// The faulty stages. Those of splits run on a FinelySplit, `requests_uploaded_once` on a
// Remembering, the others on an Instance.
int split_weight_base_e(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int split_lse_not_stored(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int split_sequences_on_first(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int empty_splits_merged(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int page_offset_of_32_bits(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int slot_offset_of_32_bits(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int products_in_tf32(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int fast_trigonometry(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int one_row_a_request(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);
int requests_uploaded_once(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error*);

}  // namespace planted
}  // namespace helixcheck::cuda
