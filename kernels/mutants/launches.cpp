// Faults of how kernels are launched: too few blocks, and what was uploaded for an earlier step.
// Instances of the other faults are made here, too.

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/mutants/mutants.hpp"

namespace helixcheck::cuda::planted {

FinelySplit::FinelySplit(const hxc_model& model, const hxc_rank* const* places,
                         const hxc_weights* const* given, const hxc_limits& limits)
    : Instance(model, places, given, limits) {
  cut_keys(attend, kMostSplits);
  attend_workspace = DeviceBlock(attend.workspace_bytes);
}

Remembering::Remembering(const hxc_model& model, const hxc_rank* const* places,
                         const hxc_weights* const* given, const hxc_limits& limits)
    : Instance(model, places, given, limits) {}

std::size_t forget(void* remembering) {
  static_cast<Remembering*>(remembering)->rows = -1;
  return 0;
}

// The grid has a block a request and padding row, as before requests had several tokens.
int one_row_a_request(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    const std::int64_t rows =
        std::min(call.any.rows, call.any.request_count + call.any.padding_rows);
    enqueue_attend(call.self.attend, call.steps, rows, call.self.attend_workspace.data(),
                   call.stream);
  });
}

// Requests go up when the sizes of a step are new, as when a graph is recorded for each size.
int requests_uploaded_once(void* instance, hxc_step* const* ranks, hxc_comm* comm,
                           hxc_error* error) {
  Remembering& self = *static_cast<Remembering*>(instance);
  const hxc_step& any = *ranks[0];
  const bool same_sizes =
      any.rows == self.rows && any.request_count == static_cast<std::int64_t>(self.requests.size());
  if (!same_sizes) {
    self.requests.assign(any.requests, any.requests + any.request_count);
    self.rows = any.rows;
  }
  std::vector<hxc_step> steps;
  for (std::size_t i = 0; i < self.ranks; ++i) {
    steps.push_back(*ranks[i]);
    steps.back().requests = self.requests.data();
  }
  std::vector<hxc_step*> changed;
  for (hxc_step& step : steps) changed.push_back(&step);
  return plan(static_cast<Instance*>(&self), changed.data(), comm, error);
}

}  // namespace helixcheck::cuda::planted
