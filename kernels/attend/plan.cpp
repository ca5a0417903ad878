// Plans stage `attend`: which kernel, how many heads to a thread block, into how many parts a row's
// keys are cut. The plan depends on the sizes and the device's model alone.

#include <algorithm>
#include <limits>
#include <numbers>
#include <string>

#include "kernels/attend/args.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::int64_t kMostStages = 5;
constexpr std::int64_t kTilesPerUnit = 2;  // splits are whole units of 64 keys

struct Device {
  int processors = 0;
  std::size_t shared_bytes = 0;  // a thread block may have
};

Device current_device() {
  int device = 0, processors = 0, shared = 0;
  HXC_CHECK(cudaGetDevice(&device));
  HXC_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  HXC_CHECK(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  return {processors, static_cast<std::size_t>(shared)};
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

bool suits_tensor_cores(const AttendSizes& s) {
  const bool format = s.dtype == s.kv_dtype && (s.dtype == HXC_BF16 || s.dtype == HXC_FP16);
  const bool widths = s.latent % 64 == 0 && s.latent >= 64 && s.latent <= 512 && s.rope % 16 == 0 &&
                      s.rope >= 0 && s.rope <= 64;
  return format && widths && s.kv_scale == 1;
}

// The most stages that fit, for the head block that wastes least; false where none fits.
bool choose_mma(AttendLaunch& launch, const Device& device) {
  const AttendSizes& s = launch.sizes;
  if (!suits_tensor_cores(s)) return false;
  // A block of 64 heads reads its queries through two slots of the ring.
  for (int heads = s.heads <= 16 ? 16 : s.heads <= 32 ? 32 : 64; heads >= 16; heads /= 2) {
    const int fewest = 3;
    for (int stages = kMostStages; stages >= fewest; --stages) {
      launch.shared_bytes = mma_shared_bytes(s, heads, stages);
      if (launch.shared_bytes + 4096 > device.shared_bytes) continue;  // 4096: static variables
      launch.tensor_cores = true;
      launch.head_block = heads;
      launch.stages = stages;
      return true;
    }
  }
  return false;
}

void choose_simt(AttendLaunch& launch, const Device& device) {
  for (const int heads : {8, 1}) {
    if (heads > 1 && launch.sizes.heads == 1) continue;
    launch.head_block = heads;
    launch.shared_bytes = simt_shared_bytes(launch.sizes, heads);
    if (launch.shared_bytes <= device.shared_bytes) return;
  }
  throw ResourceError("attend: a row of " +
                      std::to_string(launch.sizes.latent + launch.sizes.rope) +
                      " values does not fit the shared memory of this GPU, " +
                      std::to_string(device.shared_bytes) + " bytes");
}

// Time of a step in tiles, were all rows as long as the longest may be.
double modelled_tiles(const AttendLaunch& launch, const Device& device, std::int64_t splits) {
  const AttendSizes& s = launch.sizes;
  const std::int64_t tiles = ceil_div(s.max_local_len, kTile);
  const std::int64_t per_split = ceil_div(tiles, splits * kTilesPerUnit) * kTilesPerUnit;
  const std::int64_t blocks = s.ranks * s.max_rows * ceil_div(s.heads, launch.head_block) * splits;
  const auto waves = static_cast<double>(ceil_div(blocks, device.processors));
  // Start of a block: queries, the first tiles. A split's sums are written and read once more.
  const double tile_bytes = static_cast<double>(kTile * (s.latent + s.rope)) * 2;
  const double sums = splits == 1 ? 0 : 8.0 * launch.head_block * s.latent / tile_bytes;
  const double merge = splits == 1 ? 0 : 4 + 0.1 * static_cast<double>(splits);
  return waves * (static_cast<double>(per_split) + 4 + sums) + merge;
}

std::int64_t choose_splits(const AttendLaunch& launch, const Device& device) {
  const std::int64_t units = ceil_div(launch.sizes.max_local_len, kTile * kTilesPerUnit);
  std::int64_t best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t splits = 1; splits <= std::clamp<std::int64_t>(units, 1, kMostSplits);
       ++splits) {
    const double time = modelled_tiles(launch, device, splits);
    if (time < least) best = splits, least = time;
  }
  return best;
}

std::size_t workspace_entries(const AttendLaunch& launch) {
  const AttendSizes& s = launch.sizes;
  return launch.splits == 1
             ? 0
             : static_cast<std::size_t>(s.ranks * s.max_rows * launch.splits * s.heads);
}

std::size_t statistics_bytes(const AttendLaunch& launch) {
  return (workspace_entries(launch) * sizeof(float2) + 255) / 256 * 256;
}

PageDivider page_divider(std::int64_t tokens) {
  unsigned shift = 0;
  while ((std::int64_t{1} << shift) < tokens) ++shift;
  const std::int64_t spare = (std::int64_t{1} << shift) - tokens;
  return {static_cast<unsigned>(tokens), static_cast<unsigned>((spare << 32) / tokens + 1), shift};
}

AttendArgs arguments(const AttendLaunch& launch, const hxc_step* steps, void* workspace) {
  const AttendSizes& s = launch.sizes;
  AttendArgs a{};
  a.steps = steps;
  a.max_rows = s.max_rows;
  a.heads = static_cast<int>(s.heads);
  a.latent = static_cast<int>(s.latent);
  a.rope = static_cast<int>(s.rope);
  a.head_blocks = static_cast<int>(ceil_div(s.heads, launch.head_block));
  a.stages = launch.stages;
  a.splits = launch.splits;
  a.keys_per_split = static_cast<int>(launch.keys_per_split);
  a.page = page_divider(s.tokens_per_block);
  a.dtype = s.dtype;
  a.lse_form = s.lse_form;
  a.kv_scale = static_cast<float>(s.kv_scale);
  a.score_scale = static_cast<float>(s.softmax_scale * std::numbers::log2e);
  a.natural = a.score_scale == 0 ? 0 : s.softmax_scale / a.score_scale;
  a.statistics = static_cast<float2*>(workspace);
  a.values = reinterpret_cast<float*>(static_cast<char*>(workspace) + statistics_bytes(launch));
  return a;
}

}  // namespace

void allow_shared_memory(const void* kernel) {
  cudaFuncAttributes attributes{};
  HXC_CHECK(cudaFuncGetAttributes(&attributes, kernel));
  const std::size_t dynamic = current_device().shared_bytes - attributes.sharedSizeBytes;
  HXC_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(dynamic)));
}

void cut_keys(AttendLaunch& launch, std::int64_t splits) {
  const AttendSizes& s = launch.sizes;
  const std::int64_t units =
      std::max<std::int64_t>(1, ceil_div(s.max_local_len, kTile * kTilesPerUnit));
  const std::int64_t units_per_split = ceil_div(units, splits);
  launch.keys_per_split = units_per_split * kTile * kTilesPerUnit;
  launch.splits = static_cast<int>(ceil_div(units, units_per_split));
  const std::size_t split_bytes = static_cast<std::size_t>(s.latent) * sizeof(float);
  launch.workspace_bytes = statistics_bytes(launch) + workspace_entries(launch) * split_bytes;
}

AttendLaunch plan_attend(const AttendSizes& sizes) {
  const Device device = current_device();
  AttendLaunch launch;
  launch.sizes = sizes;
  if (!choose_mma(launch, device)) choose_simt(launch, device);
  cut_keys(launch, choose_splits(launch, device));
  if (!launch.tensor_cores)
    prepare_simt(launch);
  else if (sizes.dtype == HXC_BF16)
    prepare_mma_bf16(launch);
  else
    prepare_mma_fp16(launch);
  return launch;
}

void enqueue_attend(const AttendLaunch& launch, const hxc_step* steps, std::int64_t rows,
                    void* workspace, cudaStream_t stream) {
  enqueue_attend_with({}, launch, steps, rows, workspace, stream);
}

void enqueue_attend_with(const AttendKernels& kernels, const AttendLaunch& launch,
                         const hxc_step* steps, std::int64_t rows, void* workspace,
                         cudaStream_t stream) {
  if (rows == 0) return;
  const AttendArgs args = arguments(launch, steps, workspace);
  const Grid grid{static_cast<unsigned>(rows * args.splits * args.head_blocks),
                  static_cast<unsigned>(launch.sizes.ranks)};
  if (!launch.tensor_cores)
    kernels.simt(launch, args, grid, stream);
  else if (launch.sizes.dtype == HXC_BF16)
    launch_mma_bf16(launch, args, grid, stream);
  else
    launch_mma_fp16(launch, args, grid, stream);
  if (launch.splits > 1) kernels.merge(args, rows, launch.sizes.ranks, stream);
}

}  // namespace helixcheck::cuda
