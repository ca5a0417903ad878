// Collectives between ranks that share a device.

#pragma once

#include <cuda_runtime.h>

#include "device/memory.hpp"

namespace helixcheck::cuda {

void enqueue_exchange(const BlockExchange& blocks, cudaStream_t stream);
void enqueue_sum(const BlockSum& blocks, cudaStream_t stream);

}  // namespace helixcheck::cuda
