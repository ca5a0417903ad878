// Every call of CUDA, cuBLAS and NCCL goes through HXC_CHECK: a failed one becomes an exception
// that names host, rank, device, call, file and line. Memory that is not there is a ResourceError;
// all else is a DeviceFault, after which this process cannot use the device any more.

#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <string>

#include "device/memory.hpp"
#include "scenario/error.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

struct Site {
  const char* call;
  const char* file;
  int line;
};

void check(cudaError_t result, const Site& site);
void check(cublasStatus_t result, const Site& site);
// For libraries this file does not know.
[[noreturn]] void fail(const std::string& problem, bool out_of_memory, const Site& site);

// Names this process's rank in errors; -1 (all ranks of the world) until it is called.
void name_rank(int rank);

void write_message(hxc_error* error, const char* text);

// Runs `work` at the C boundary: an exception becomes status and message.
template <typename Work>
int guarded(hxc_error* error, Work work) {
  try {
    work();
    return 0;
  } catch (const ResourceError& e) {
    write_message(error, e.what());
    return HXC_NO_MEMORY;
  } catch (const std::exception& e) {
    write_message(error, e.what());
    return 1;
  }
}

}  // namespace helixcheck::cuda

#define HXC_CHECK(call) \
  ::helixcheck::cuda::check((call), ::helixcheck::cuda::Site{#call, __FILE__, __LINE__})

// After a kernel launch.
#define HXC_CHECK_LAUNCH(kernel)                \
  ::helixcheck::cuda::check(cudaGetLastError(), \
                            ::helixcheck::cuda::Site{"launch of " kernel, __FILE__, __LINE__})
