// The tables. Errors cross the C boundary as status and message, never as exceptions.

#include "subject/cpu/subject.hpp"

#include <cstdio>
#include <exception>

#include "subject/cpu/instance.hpp"

namespace helixcheck::cpu {
namespace {

template <bool round_p>
int create_variant(void** instance, const hxc_model* model, const hxc_rank* const* places,
                   const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  try {
    return create(Variant{round_p}, instance, model, places, weights, limits, error);
  } catch (const std::exception& e) {
    std::snprintf(error->message, sizeof error->message, "create: %s", e.what());
    return 1;
  }
}

void destroy(void* instance) {
  delete static_cast<Instance*>(instance);
}

constexpr hxc_entry kEntries[] = {
    {HXC_PLAN, HXC_PLAN, plan},
    {HXC_PROJECT, HXC_PROJECT, project},
    {HXC_APPEND, HXC_APPEND, append},
    {HXC_ATTEND, HXC_ATTEND, attend},
    {HXC_EXCHANGE, HXC_EXCHANGE, exchange},
    {HXC_COMBINE, HXC_COMBINE, combine},
    {HXC_OUTPUT, HXC_OUTPUT, output},
};

template <bool round_p>
constexpr hxc_subject make(const char* name) {
  return {HXC_ABI_VERSION,         HXC_HOST, name,   name, HXC_STAGE_COUNT, kEntries,
          create_variant<round_p>, nullptr,  destroy};
}

}  // namespace

const hxc_subject& subject() {
  static constexpr hxc_subject table = make<false>("cpu");
  return table;
}

const hxc_subject& subject_p16() {
  static constexpr hxc_subject table = make<true>("cpu_p16");
  return table;
}

}  // namespace helixcheck::cpu
