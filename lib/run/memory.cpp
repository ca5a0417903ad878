// Linux: MemAvailable, and the memory limit of the control group (version 2) where there is one.

#include "run/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace helixcheck {
namespace {

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

std::int64_t number_in(const char* file) {
  std::ifstream in(file);
  std::int64_t value = 0;
  return in >> value ? value : kUnknown;  // "max" is no number
}

std::int64_t system_available() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  std::int64_t kib = 0;
  while (in >> word) {
    if (word == "MemAvailable:" && in >> kib) return kib * 1024;
  }
  return kUnknown;
}

}  // namespace

std::int64_t available_memory_bytes() {
  const std::int64_t limit = number_in("/sys/fs/cgroup/memory.max");
  const std::int64_t used = number_in("/sys/fs/cgroup/memory.current");
  const std::int64_t group = limit == kUnknown || used == kUnknown ? kUnknown : limit - used;
  return std::min(system_available(), std::max<std::int64_t>(group, 0));
}

}  // namespace helixcheck
