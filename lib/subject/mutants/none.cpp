// For builds without planted faults (HELIXCHECK_MUTANTS=OFF): every class is empty.

#include "subject/mutants/classes.hpp"

namespace helixcheck::planted {

std::span<const Mutant> merge() {
  return {};
}
std::span<const Mutant> position() {
  return {};
}
std::span<const Mutant> ownership() {
  return {};
}
std::span<const Mutant> paging() {
  return {};
}
std::span<const Mutant> exchange() {
  return {};
}
std::span<const Mutant> stale_state() {
  return {};
}
std::span<const Mutant> quantised_kv() {
  return {};
}
std::span<const Mutant> precision() {
  return {};
}
std::span<const Mutant> masks() {
  return {};
}
std::span<const Mutant> shapes() {
  return {};
}
std::span<const Mutant> device() {
  return {};
}

}  // namespace helixcheck::planted
