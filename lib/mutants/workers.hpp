// Independent pieces of work on a few threads.

#pragma once

#include <cstddef>
#include <functional>

namespace helixcheck {

// body(i) for each i below `count`, on `jobs` threads, each of which runs its cases alone. Rethrows
// the first thing that a body threw.
void on_workers(int jobs, std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace helixcheck
