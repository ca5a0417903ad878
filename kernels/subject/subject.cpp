// Errors cross the C boundary as status and message, never as exceptions.

#include "kernels/subject/subject.hpp"

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"

namespace helixcheck::cuda {
namespace {

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  return guarded(error, [&] { *instance = new Instance(*model, places, weights, *limits); });
}

void destroy(void* instance) {
  delete static_cast<Instance*>(instance);
}

constexpr hxc_entry kStages[] = {
    {HXC_PLAN, HXC_PLAN, plan},
    {HXC_PROJECT, HXC_PROJECT, project},
    {HXC_APPEND, HXC_APPEND, append},
    {HXC_ATTEND, HXC_ATTEND, attend},
    {HXC_EXCHANGE, HXC_EXCHANGE, exchange},
    {HXC_COMBINE, HXC_COMBINE, combine},
    {HXC_OUTPUT, HXC_OUTPUT, output},
};

constexpr hxc_entry kGatherScatter[] = {
    {HXC_PLAN, HXC_PLAN, plan},
    {HXC_PROJECT, HXC_PROJECT, project},
    {HXC_APPEND, HXC_APPEND, append},
    {HXC_ATTEND, HXC_ATTEND, attend},
    {HXC_EXCHANGE, HXC_COMBINE, gather_scatter},
    {HXC_OUTPUT, HXC_OUTPUT, output},
};

}  // namespace

const hxc_subject& subject() {
  static constexpr hxc_subject table{HXC_ABI_VERSION, HXC_CUDA, "cuda",  "cuda", 7,
                                     kStages,         create,   nullptr, destroy};
  return table;
}

const hxc_subject& subject_agrs() {
  static constexpr hxc_subject table{HXC_ABI_VERSION, HXC_CUDA, "cuda_agrs", "cuda_agrs", 6,
                                     kGatherScatter,  create,   nullptr,     destroy};
  return table;
}

}  // namespace helixcheck::cuda
