// The tables. What a mutant is called here is its id in the registry.

#include "kernels/mutants/mutants.hpp"

#include <type_traits>

#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

// An entry gets it back as void*: the pointer is that of the State.
template <typename State>
int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  return guarded(error, [&] { *instance = new State(*model, places, weights, *limits); });
}

template <typename State>
void destroy(void* instance) {
  delete static_cast<State*>(instance);
}

template <hxc_stage stage, hxc_stage_fn run>
constexpr hxc_entry kEntry{stage, stage, run};

using planted::FinelySplit;
using planted::Remembering;

template <hxc_stage stage, hxc_stage_fn run, typename State = Instance>
constexpr hxc_subject table(const char* id) {
  const auto forget = std::is_same_v<State, Remembering> ? planted::forget : nullptr;
  return {HXC_ABI_VERSION,     HXC_CUDA,      id,     "cuda",        1,
          &kEntry<stage, run>, create<State>, forget, destroy<State>};
}

constexpr hxc_subject kMutants[] = {
    table<HXC_ATTEND, planted::split_weight_base_e, FinelySplit>("device_split_weight_base_e"),
    table<HXC_ATTEND, planted::split_lse_not_stored, FinelySplit>("device_split_lse_not_stored"),
    table<HXC_ATTEND, planted::split_sequences_on_first, FinelySplit>(
        "device_split_sequences_on_first"),
    table<HXC_ATTEND, planted::empty_splits_merged, FinelySplit>("device_empty_splits_merged"),
    table<HXC_ATTEND, planted::page_offset_of_32_bits>("device_page_offset_int32"),
    table<HXC_APPEND, planted::slot_offset_of_32_bits>("device_slot_offset_int32"),
    table<HXC_PROJECT, planted::products_in_tf32>("device_products_in_tf32"),
    table<HXC_PROJECT, planted::fast_trigonometry>("device_fast_trigonometry"),
    table<HXC_ATTEND, planted::one_row_a_request>("device_one_row_a_request"),
    table<HXC_PLAN, planted::requests_uploaded_once, Remembering>("device_requests_uploaded_once"),
};

}  // namespace

std::span<const hxc_subject> mutants() {
  return kMutants;
}

}  // namespace helixcheck::cuda
