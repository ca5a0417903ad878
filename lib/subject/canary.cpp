// The canary: a subject with a known fault, for testing whatever searches for faults.
//
// On three or more KVP ranks, with pages of two or more tokens and an fp16 model, a row that sees
// exactly one key more than full pages on the last rank loses that key. About one small case in a
// hundred shows it. The smallest scenario that does: an empty prompt on three ranks, the new token
// on the last of them.

#include "subject/canary.hpp"

#include <algorithm>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

bool loses_a_key(const hxc_step& step, std::int64_t visible) {
  const hxc_rank& place = *step.place;
  return place.kvp >= 3 && place.kvp_rank == place.kvp - 1 && step.model->dtype == HXC_FP16 &&
         place.tokens_per_block >= 2 && visible % place.tokens_per_block == 1;
}

// What the CPU subject does with a plan that hides the key. The plan is put back afterwards: it is
// this stage's input.
int attend(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  std::vector<std::vector<std::int64_t>> kept;
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    std::int64_t* visible = &int_at(ranks[i]->visible, 0);
    kept.emplace_back(visible, visible + ranks[i]->rows);
    for (std::int64_t row = 0; row < ranks[i]->rows; ++row) {
      if (loses_a_key(*ranks[i], visible[row])) --visible[row];
    }
  }
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const std::vector<std::int64_t>& values = kept[static_cast<std::size_t>(i)];
    std::copy(values.begin(), values.end(), &int_at(ranks[i]->visible, 0));
  }
  return status;
}

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  return cpu::subject().create(instance, model, places, weights, limits, error);
}

void destroy(void* instance) {
  cpu::subject().destroy(instance);
}

constexpr hxc_entry kEntries[] = {{HXC_ATTEND, HXC_ATTEND, attend}};

}  // namespace

const hxc_subject& canary_subject() {
  static constexpr hxc_subject table{HXC_ABI_VERSION, HXC_HOST, "canary", "cpu",  1,
                                     kEntries,        create,   nullptr,  destroy};
  return table;
}

}  // namespace helixcheck
