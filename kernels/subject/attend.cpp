// Stage `attend`: the launch was planned when the instance was made.

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"

namespace helixcheck::cuda {

int attend(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    if (call.any.rows == 0) return;
    enqueue_attend(call.self.attend, call.steps, call.any.rows, call.self.attend_workspace.data(),
                   call.stream);
  });
}

}  // namespace helixcheck::cuda
