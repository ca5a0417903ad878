// What this machine has left.

#pragma once

#include <cstdint>

namespace helixcheck {

// Bytes that can be allocated without swapping, within the limits of this process's control group.
// INT64_MAX where the system does not say.
std::int64_t available_memory_bytes();

}  // namespace helixcheck
