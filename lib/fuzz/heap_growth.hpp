// Leaks: memory that a run leaves allocated, each time it is repeated.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace helixcheck {

// Bytes that are allocated from the C library's heap now.
std::uint64_t heap_in_use();

// Whether the heap of this process has grown by more than what caches explain.
class HeapGrowth {
 public:
  // Call between cases; the first calls set what is normal.
  bool is_large();
  // Takes what there is now for normal: nobody leaks, caches have grown. False, and no change, if
  // that was done too often for caches.
  bool accept();
  std::uint64_t bytes() const;  // above what was normal at first

 private:
  int calls_ = 0, accepted_ = 0;
  std::uint64_t first_normal_ = 0, normal_ = 0;
};

// Bytes that each further run leaves behind, if every one does: the smallest growth of a few runs
// after some to get warm. nullopt: there is a run that leaves nothing.
std::optional<std::uint64_t> heap_growth_of_a_run(const std::function<void()>& run);

}  // namespace helixcheck
