// One upload a step, constants and all: they are few.

#include "kernels/subject/steps.hpp"

#include <array>
#include <cstring>

#include "kernels/check.hpp"

namespace helixcheck::cuda {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + 15) / 16 * 16;
}

// Uploads read pinned memory later: a slot is free again when its event has passed.
class UploadRing {
 public:
  // At create time, since a stage may not allocate.
  void reserve(std::size_t bytes) {
    for (Slot& slot : slots_) {
      if (slot.uploaded == nullptr) {
        HXC_CHECK(cudaEventCreateWithFlags(&slot.uploaded, cudaEventDisableTiming));
      }
      if (slot.size >= bytes) continue;
      HXC_CHECK(cudaEventSynchronize(slot.uploaded));
      slot.block = PinnedBlock(bytes);
      slot.size = bytes;
    }
  }

  // Waits only if as many uploads as there are slots are in flight.
  void upload(std::byte* to, const std::vector<std::byte>& bytes, cudaStream_t stream) {
    Slot& slot = slots_[next_++ % slots_.size()];
    HXC_CHECK(cudaEventSynchronize(slot.uploaded));
    std::memcpy(slot.block.data(), bytes.data(), bytes.size());
    HXC_CHECK(cudaMemcpyAsync(to, slot.block.data(), bytes.size(), cudaMemcpyHostToDevice, stream));
    HXC_CHECK(cudaEventRecord(slot.uploaded, stream));
  }

 private:
  struct Slot {
    PinnedBlock block;
    std::size_t size = 0;
    cudaEvent_t uploaded = nullptr;  // lives as long as the thread
  };
  std::array<Slot, 8> slots_;
  std::size_t next_ = 0;
};

UploadRing& upload_ring() {
  pinned_blocks();  // outlives the ring
  thread_local UploadRing ring;
  return ring;
}

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
    : ranks_(static_cast<std::size_t>(limits.local_ranks)) {
  const std::size_t frequencies =
      static_cast<std::size_t>(model.qk_rope_head_dim / 2) * sizeof(double);
  const std::size_t requests = static_cast<std::size_t>(limits.max_requests) * sizeof(hxc_request);
  steps_at_ = aligned(frequencies) + aligned(sizeof model) + aligned(ranks_ * sizeof(hxc_rank)) +
              aligned(ranks_ * sizeof(hxc_weights));
  requests_at_ = steps_at_ + aligned(ranks_ * sizeof(hxc_step));
  next_.resize(requests_at_ + requests);
  device_ = DeviceBlock(next_.size());
  upload_ring().reserve(next_.size());

  hxc_model copy = model;
  copy.inv_freq = reinterpret_cast<const double*>(add(model.inv_freq, frequencies));
  model_ = reinterpret_cast<const hxc_model*>(add(&copy, sizeof copy));
  std::vector<hxc_rank> all_places;
  std::vector<hxc_weights> all_weights;
  for (std::size_t i = 0; i < ranks_; ++i) {
    all_places.push_back(*places[i]);
    all_weights.push_back(*weights[i]);
  }
  places_ = reinterpret_cast<const hxc_rank*>(add(all_places.data(), ranks_ * sizeof(hxc_rank)));
  weights_ =
      reinterpret_cast<const hxc_weights*>(add(all_weights.data(), ranks_ * sizeof(hxc_weights)));
}

// Returns where the values will lie on the device.
std::byte* DeviceSteps::add(const void* values, std::size_t bytes) {
  std::byte* place = device_.data() + end_;
  if (bytes > 0) std::memcpy(next_.data() + end_, values, bytes);
  end_ += aligned(bytes);
  return place;
}

// The requests are the same on all ranks.
const hxc_step* DeviceSteps::upload(hxc_step* const* ranks, cudaStream_t stream) {
  for (std::size_t i = 0; i < ranks_; ++i) {
    hxc_step step = *ranks[i];
    step.model = model_;
    step.place = places_ + i;
    step.weights = weights_ + i;
    step.requests = reinterpret_cast<const hxc_request*>(device_.data() + requests_at_);
    std::memcpy(next_.data() + steps_at_ + i * sizeof step, &step, sizeof step);
  }
  const hxc_step& any = *ranks[0];
  if (!any.is_prompt && any.request_count > 0) {
    std::memcpy(next_.data() + requests_at_, any.requests,
                static_cast<std::size_t>(any.request_count) * sizeof(hxc_request));
  }
  if (next_ != last_) {
    upload_ring().upload(device_.data(), next_, stream);
    last_ = next_;
  }
  return reinterpret_cast<const hxc_step*>(device_.data() + steps_at_);
}

}  // namespace helixcheck::cuda
