// Fork-join over a range, for the few large products of the fp64 stages.
//
// Threads are started for one call and joined before it returns; small work never starts any. The
// caller must make each index's result independent of the others, so that the number of threads has
// no influence on results. Calls inside a body run on the thread they are made on.

#pragma once

#include <cstdint>
#include <functional>

namespace helixcheck {

// Runs body(begin, end) over disjoint parts that cover [0, count), on at most thread_limit()
// threads, the caller's included. One part, on the caller's thread, if `flops`, the floating-point
// operations of the whole range, would not pay for a thread. Rethrows what a body threw.
void parallel_for(std::int64_t count, double flops,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

// Threads that parallel_for may use when called from this thread; at first min(2, cores).
int thread_limit();

// Sets this thread's limit while it lives: workers that run one case each allow 1.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int previous_;
};

}  // namespace helixcheck
