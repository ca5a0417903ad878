// Timing on a device: events, a cache flush, and the rates that a roofline is made of.

#pragma once

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <memory>

#include "device/memory.hpp"
#include "device/timing.hpp"

namespace helixcheck::cuda {

// On the current device and the stream of `memory`, which must outlive the result.
std::unique_ptr<Timing> make_timing(Memory& memory);

// Reads `bytes` (a multiple of 16) once. `sink`: one word that is hardly ever written.
void enqueue_read_sweep(const void* data, std::size_t bytes, std::uint32_t* sink, int processors,
                        cudaStream_t stream);
// U(-1, 1): a product of zeros draws less power and runs faster.
void enqueue_random(__nv_bfloat16* data, std::int64_t count, std::uint32_t seed,
                    cudaStream_t stream);

}  // namespace helixcheck::cuda
