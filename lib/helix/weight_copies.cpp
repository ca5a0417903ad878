// One block and one transfer for all tensors.

#include "helix/weight_copies.hpp"

#include <array>
#include <cstring>

namespace helixcheck {
namespace {

constexpr std::size_t kAlignment = 256;

}  // namespace

WeightCopies::WeightCopies(const Inputs& inputs, Memory& memory) {
  if (memory.is_host() || inputs.problem().entry != Entry::layer) return;
  const Weights& w = inputs.weights();
  const std::array tensors = {&w.q_a, &w.q_a_norm, &w.q_b, &w.kv_a, &w.kv_a_norm, &w.kv_b, &w.o};
  std::size_t end = 0;
  for (const Tensor* tensor : tensors) {
    offsets_[tensor] = end;
    end += (tensor->bytes.size() + kAlignment - 1) / kAlignment * kAlignment;
  }
  const Block staging(memory, end, Block::Side::host);
  for (const Tensor* tensor : tensors) {
    if (tensor->empty()) continue;
    std::memcpy(staging.data() + offsets_[tensor], tensor->bytes.data(), tensor->bytes.size());
  }
  device_ = Block(memory, end);
  memory.upload(device_.data(), staging.data(), end);
  memory.synchronize();  // the staging goes
}

const std::byte* WeightCopies::address_of(const Tensor& tensor) const {
  const auto found = offsets_.find(&tensor);
  return found == offsets_.end() ? tensor.bytes.data() : device_.data() + found->second;
}

}  // namespace helixcheck
