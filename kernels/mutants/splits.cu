// Faults of attention whose keys are cut into parts: in the merge of the parts.

#include "kernels/attend/merge.cuh"
#include "kernels/mutants/mutants.hpp"

namespace helixcheck::cuda::planted {
namespace {

using merge::MergeDecisions;
using merge::Weights;

// Maxima are powers of two, weights those of e.
struct WeightOfBaseE : MergeDecisions {
  static __device__ float weight(float maximum, float base) { return expf(maximum - base); }
};

struct LseNotStored : MergeDecisions {
  static __device__ void store_lse(const AttendArgs&, const hxc_step&, std::int64_t, int,
                                   const Weights&) {}
};

// The batch stride of the results is zero where requests have several tokens: all lie on the first.
struct SequencesOnFirst : MergeDecisions {
  static __device__ std::int64_t result_row(const hxc_step& step, std::int64_t row,
                                            std::int64_t request) {
    bool several = false;
    std::int64_t first = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      several = several || step.requests[r].query_tokens > 1;
      if (r < request) first += step.requests[r].query_tokens;
    }
    return several ? row - first : row;
  }
};

// The merge has another rule than attention for which parts hold nothing.
struct EmptySplitsMerged : MergeDecisions {
  static __device__ int splits(const AttendArgs& args, int) { return args.splits; }
};

template <typename Decisions>
void merge_with(const AttendArgs& args, std::int64_t rows, int ranks, cudaStream_t stream) {
  merge::launch<Decisions>(args, rows, ranks, stream);
}

template <typename Decisions>
int attend_with(void* instance, hxc_step* const* ranks, hxc_error* error) {
  return guarded(error, [&] {
    Instance& self = *static_cast<FinelySplit*>(instance);
    const Call call(&self, ranks);
    AttendKernels kernels;
    kernels.merge = merge_with<Decisions>;
    enqueue_attend_with(kernels, self.attend, call.steps, call.any.rows,
                        self.attend_workspace.data(), call.stream);
  });
}

}  // namespace

int split_weight_base_e(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with<WeightOfBaseE>(instance, ranks, error);
}

int split_lse_not_stored(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with<LseNotStored>(instance, ranks, error);
}

int split_sequences_on_first(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with<SequencesOnFirst>(instance, ranks, error);
}

// What a part that wrote nothing leaves is what was there: NaN, as in all memory that nobody has
// written.
int empty_splits_merged(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  const int status = guarded(error, [&] {
    const Instance& self = *static_cast<FinelySplit*>(instance);
    if (self.attend.workspace_bytes == 0) return;
    HXC_CHECK(cudaMemsetAsync(self.attend_workspace.data(), 0xff, self.attend.workspace_bytes,
                              static_cast<cudaStream_t>(ranks[0]->stream)));
  });
  return status != 0 ? status : attend_with<EmptySplitsMerged>(instance, ranks, error);
}

}  // namespace helixcheck::cuda::planted
