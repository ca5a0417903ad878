// The sentence of a failed call.

#include "kernels/check.hpp"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace helixcheck::cuda {
namespace {

std::atomic<int> rank_of_process{-1};

const char* file_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

}  // namespace

void name_rank(int rank) {
  rank_of_process = rank;
}

void fail(const std::string& problem, bool out_of_memory, const Site& site) {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  int device = -1;
  cudaGetDevice(&device);
  const int rank = rank_of_process;
  const std::string who = rank < 0 ? "" : "rank " + std::to_string(rank) + ", ";
  const std::string sentence = std::string("host ") + host + ", " + who + "device " +
                               std::to_string(device) + ": " + site.call + " failed: " + problem +
                               " (" + file_name(site.file) + ":" + std::to_string(site.line) + ")";
  if (out_of_memory) throw ResourceError(sentence);
  throw DeviceFault(sentence);
}

void check(cudaError_t result, const Site& site) {
  if (result == cudaSuccess) return;
  cudaGetLastError();  // an error that is not sticky is taken back
  fail(std::string(cudaGetErrorName(result)) + ", " + cudaGetErrorString(result),
       result == cudaErrorMemoryAllocation, site);
}

void check(cublasStatus_t result, const Site& site) {
  if (result == CUBLAS_STATUS_SUCCESS) return;
  fail(std::string(cublasGetStatusName(result)) + ", " + cublasGetStatusString(result),
       result == CUBLAS_STATUS_ALLOC_FAILED, site);
}

void write_message(hxc_error* error, const char* text) {
  std::snprintf(error->message, sizeof error->message, "%s", text);
}

}  // namespace helixcheck::cuda
