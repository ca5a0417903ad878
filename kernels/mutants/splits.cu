// Faults of attention whose keys are cut into parts: in the merge of the parts.

#include "kernels/attend/merge.cuh"
#include "kernels/mutants/mutants.hpp"

namespace helixcheck::cuda::planted {
namespace {

using merge::MergeDecisions;
using merge::Weights;

constexpr int kFoldThreads = 128;

// Maxima are powers of two, weights those of e.
struct WeightOfBaseE : MergeDecisions {
  static __device__ float weight(float maximum, float base) { return expf(maximum - base); }
};

struct LseNotStored : MergeDecisions {
  static __device__ void store_lse(const AttendArgs&, const hxc_step&, std::int64_t, int,
                                   const Weights&) {}
};

// The merge has another rule than attention for which parts hold nothing.
struct EmptySplitsMerged : MergeDecisions {
  static __device__ int splits(const AttendArgs& args, int) { return args.splits; }
};

__device__ bool several_tokens(const hxc_step& step) {
  for (std::int64_t r = 0; r < step.request_count; ++r) {
    if (step.requests[r].query_tokens > 1) return true;
  }
  return false;
}

// Row `from` of values and LSEs becomes row `to`; what nobody writes then is poison, as it was.
__device__ void fold_row(const AttendArgs& args, const hxc_step& step, std::int64_t from,
                         std::int64_t to) {
  for (int i = static_cast<int>(threadIdx.x); i < args.heads * args.latent; i += kFoldThreads) {
    const int head = i / args.latent, c = i % args.latent;
    const std::int64_t place = offset(step.partial_o, from, head, c);
    const float value = read_code(step.partial_o, args.dtype, place);
    write_code(step.partial_o, args.dtype, offset(step.partial_o, to, head, c), value);
    write_code(step.partial_o, args.dtype, place, NAN);
  }
  const int statistics = static_cast<int>(step.lse.shape[2]);
  for (int i = static_cast<int>(threadIdx.x); i < args.heads * statistics; i += kFoldThreads) {
    float& lse = float_at(step.lse, from, i / statistics, i % statistics);
    float_at(step.lse, to, i / statistics, i % statistics) = lse;
    lse = NAN;
  }
}

// The batch stride of merged results is zero where requests have several tokens: all lie on the
// first. One block a rank takes the rows in their order, and a thread its own places of all, so
// that of results on one place the last stays, in every run. Grid (ranks).
__global__ void __launch_bounds__(kFoldThreads)
    fold_sequences(const AttendArgs args, std::int64_t rows) {
  const hxc_step& step = args.steps[blockIdx.x];
  if (!several_tokens(step)) return;
  std::int64_t first = 0, of = 0;  // where the rows of request `of` begin
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t request;
    const int visible = visible_keys(step, row, request);
    if (live_splits(args, visible) <= 1) continue;  // not merged
    for (; of < request; ++of) first += step.requests[of].query_tokens;
    if (first > 0) fold_row(args, step, row, row - first);
  }
}

void merge_and_fold(const AttendArgs& args, std::int64_t rows, int ranks, cudaStream_t stream) {
  launch_merge(args, rows, ranks, stream);
  fold_sequences<<<static_cast<unsigned>(ranks), kFoldThreads, 0, stream>>>(args, rows);
  HXC_CHECK_LAUNCH("fold_sequences");
}

using Merge = void (*)(const AttendArgs&, std::int64_t rows, int ranks, cudaStream_t);

int attend_with(Merge merge, void* instance, hxc_step* const* ranks, hxc_error* error) {
  return guarded(error, [&] {
    Instance& self = *static_cast<FinelySplit*>(instance);
    const Call call(&self, ranks);
    AttendKernels kernels;
    kernels.merge = merge;
    enqueue_attend_with(kernels, self.attend, call.steps, call.any.rows,
                        self.attend_workspace.data(), call.stream);
  });
}

}  // namespace

int split_weight_base_e(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with(merge::launch<WeightOfBaseE>, instance, ranks, error);
}

int split_lse_not_stored(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with(merge::launch<LseNotStored>, instance, ranks, error);
}

int split_sequences_on_first(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return attend_with(merge_and_fold, instance, ranks, error);
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
  return status != 0 ? status
                     : attend_with(merge::launch<EmptySplitsMerged>, instance, ranks, error);
}

}  // namespace helixcheck::cuda::planted
