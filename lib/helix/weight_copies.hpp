// A case's weights where the subject can see them: as they are on the host, or copied to a device.

#pragma once

#include <map>

#include "device/memory.hpp"
#include "mla/inputs.hpp"

namespace helixcheck {

class WeightCopies {
 public:
  // Both must outlive the object. Nothing is copied for entries without weights.
  WeightCopies(const Inputs& inputs, Memory& memory);
  const std::byte* address_of(const Tensor& tensor) const;

 private:
  std::map<const Tensor*, std::size_t> offsets_;
  Block device_;
};

}  // namespace helixcheck
