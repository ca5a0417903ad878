// Constants go up once, when the instance is made.

#include "kernels/subject/steps.hpp"

#include <cstring>
#include <utility>

#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + 15) / 16 * 16;
}

// Lays structs out one after the other: on the host in `bytes`, to be copied to `base`.
class Writer {
 public:
  Writer(std::vector<std::byte>& bytes, std::byte* base) : bytes_(bytes), base_(base) {}
  template <typename Value>
  const Value* add(const Value* values, std::size_t count) {
    const std::size_t place = aligned(bytes_.size());
    bytes_.resize(place + count * sizeof(Value));
    std::memcpy(bytes_.data() + place, values, count * sizeof(Value));
    return reinterpret_cast<const Value*>(base_ + place);
  }

 private:
  std::vector<std::byte>& bytes_;
  std::byte* base_;
};

}  // namespace

BlockCache& device_blocks() {
  thread_local BlockCache cache(BlockCache::Kind::device);
  return cache;
}

BlockCache& pinned_blocks() {
  thread_local BlockCache cache(BlockCache::Kind::pinned);
  return cache;
}

DeviceSteps::DeviceSteps(const hxc_model& model, const hxc_rank* const* places,
                         const hxc_weights* const* weights, const hxc_limits& limits)
    : ranks_(static_cast<std::size_t>(limits.local_ranks)),
      step_bytes_(aligned(ranks_ * sizeof(hxc_step)) +
                  static_cast<std::size_t>(limits.max_requests) * sizeof(hxc_request)) {
  const auto pairs = static_cast<std::size_t>(model.qk_rope_head_dim / 2);
  constants_ = DeviceBlock(aligned(sizeof model) + aligned(pairs * sizeof(double)) +
                           aligned(ranks_ * sizeof(hxc_rank)) + ranks_ * sizeof(hxc_weights));
  std::vector<std::byte> bytes;
  Writer writer(bytes, constants_.data());
  hxc_model copy = model;
  copy.inv_freq = writer.add(model.inv_freq, pairs);
  model_ = writer.add(&copy, 1);
  std::vector<hxc_rank> all_places;
  std::vector<hxc_weights> all_weights;
  for (std::size_t i = 0; i < ranks_; ++i) {
    all_places.push_back(*places[i]);
    all_weights.push_back(*weights[i]);
  }
  places_ = writer.add(all_places.data(), ranks_);
  weights_ = writer.add(all_weights.data(), ranks_);
  HXC_CHECK(cudaMemcpy(constants_.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
  steps_ = DeviceBlock(step_bytes_);
  slots_.resize(kSlots);
  for (Slot& slot : slots_) {
    slot.block = PinnedBlock(step_bytes_);
    HXC_CHECK(cudaEventCreateWithFlags(&slot.uploaded, cudaEventDisableTiming));
  }
}

DeviceSteps::~DeviceSteps() {
  for (Slot& slot : slots_) {
    if (slot.uploaded == nullptr) continue;
    cudaEventSynchronize(slot.uploaded);
    cudaEventDestroy(slot.uploaded);
  }
}

const hxc_step* DeviceSteps::upload(hxc_step* const* ranks, cudaStream_t stream) {
  next_.assign(step_bytes_, std::byte{0});
  write(ranks, next_.data());
  const auto* device = reinterpret_cast<const hxc_step*>(steps_.data());
  if (next_ == last_) return device;
  Slot& slot = slots_[slot_++ % kSlots];
  HXC_CHECK(cudaEventSynchronize(slot.uploaded));
  std::memcpy(slot.block.data(), next_.data(), next_.size());
  HXC_CHECK(cudaMemcpyAsync(steps_.data(), slot.block.data(), next_.size(), cudaMemcpyHostToDevice,
                            stream));
  HXC_CHECK(cudaEventRecord(slot.uploaded, stream));
  std::swap(last_, next_);
  return device;
}

// The requests are the same on all ranks.
void DeviceSteps::write(hxc_step* const* ranks, std::byte* to) const {
  const std::size_t requests = aligned(ranks_ * sizeof(hxc_step));
  for (std::size_t i = 0; i < ranks_; ++i) {
    hxc_step step = *ranks[i];
    step.model = model_;
    step.place = places_ + i;
    step.weights = weights_ + i;
    step.requests = reinterpret_cast<const hxc_request*>(steps_.data() + requests);
    std::memcpy(to + i * sizeof step, &step, sizeof step);
  }
  const hxc_step& any = *ranks[0];
  if (any.is_prompt || any.requests == nullptr) return;
  std::memcpy(to + requests, any.requests,
              static_cast<std::size_t>(any.request_count) * sizeof(hxc_request));
}

}  // namespace helixcheck::cuda
