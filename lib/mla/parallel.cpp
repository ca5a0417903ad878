// Fork-join with std::thread. A thread takes some 20 microseconds to start and join, which is 5 %
// of the time one core needs for kMinimumFlops.

#include "mla/parallel.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace helixcheck {
namespace {

constexpr double kMinimumFlops = 1e7;

// 0: not set on this thread yet.
thread_local int limit = 0;

}  // namespace

int thread_limit() {
  if (limit == 0) {
    limit = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 2);
  }
  return limit;
}

ThreadLimit::ThreadLimit(int threads) : previous_(limit) {
  limit = std::max(threads, 1);
}

ThreadLimit::~ThreadLimit() {
  limit = previous_;
}

void parallel_for(std::int64_t count, double flops,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  const std::int64_t parts =
      flops < kMinimumFlops ? 1 : std::min<std::int64_t>(count, thread_limit());
  if (parts <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(parts));
  const auto run = [&](std::int64_t part) {
    const ThreadLimit nested(1);
    try {
      body(count * part / parts, count * (part + 1) / parts);
    } catch (...) {
      errors[static_cast<std::size_t>(part)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::int64_t part = 1; part < parts; ++part) threads.emplace_back(run, part);
    run(0);
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace helixcheck
