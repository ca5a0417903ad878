// Memory of one device, worked on in the order of one stream.

#pragma once

#include <memory>

#include "device/memory.hpp"

namespace helixcheck::cuda {

// For one thread. Blocks that are released are kept for the next ones of their size: scenarios come
// by the thousand, and the driver takes milliseconds for each.
std::unique_ptr<Memory> make_cuda_memory(int device);

}  // namespace helixcheck::cuda
