// Work side by side in processes of their own, so that memory, caches and what a subject leaves
// behind are not shared.

#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace helixcheck {

// Calls work(i) for each i below `count` in a child process, at most `jobs` at a time, and
// done(i, what it returned) here, in the order in which they end. Forks: the caller has one thread.
// Throws ResourceError if a child cannot be made or ends otherwise than by returning.
void run_apart(std::size_t count, int jobs, const std::function<std::string(std::size_t)>& work,
               const std::function<void(std::size_t, const std::string&)>& done);

}  // namespace helixcheck
