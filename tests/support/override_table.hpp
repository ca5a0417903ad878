// A subject that replaces one stage of the CPU subject, for faults planted through the public
// table.

#pragma once

#include "subject/cpu/subject.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {

inline int create_cpu(void** instance, const hxc_model* model, const hxc_rank* const* places,
                      const hxc_weights* const* weights, const hxc_limits* limits,
                      hxc_error* error) {
  return cpu::subject().create(instance, model, places, weights, limits, error);
}

inline void destroy_cpu(void* instance) {
  cpu::subject().destroy(instance);
}

// Lives for ever, one for each stage function. Instances are those of the CPU subject.
template <hxc_stage stage, hxc_stage_fn run, auto create = create_cpu>
const hxc_subject& override_table(const char* name) {
  static constexpr hxc_entry entries[] = {{stage, stage, run}};
  static const hxc_subject subject{HXC_ABI_VERSION, HXC_HOST, name,    "cpu",      1,
                                   entries,         create,   nullptr, destroy_cpu};
  return subject;
}

}  // namespace helixcheck
