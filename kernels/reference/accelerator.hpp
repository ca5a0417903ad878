// The fp64 stages on a GPU: matrix products by cuBLAS, the rest by kernels of its own. All work
// goes to the memory's stream, and every call waits for its results.

#pragma once

#include <memory>

#include "device/memory.hpp"
#include "mla/accelerator.hpp"

namespace helixcheck::cuda {

// On the device of `memory`, which must outlive the object.
std::unique_ptr<Accelerator> make_cuda_accelerator(Memory& memory);

}  // namespace helixcheck::cuda
