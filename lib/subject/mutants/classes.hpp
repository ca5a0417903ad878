// The mutants of the CPU subject, one file a class, and those of device code.

#pragma once

#include <span>

#include "subject/mutants/mutants.hpp"

namespace helixcheck::planted {

std::span<const Mutant> merge();
std::span<const Mutant> position();
std::span<const Mutant> ownership();
std::span<const Mutant> paging();
std::span<const Mutant> exchange();
std::span<const Mutant> stale_state();
std::span<const Mutant> quantised_kv();
std::span<const Mutant> precision();
std::span<const Mutant> masks();
std::span<const Mutant> shapes();
std::span<const Mutant> device();  // of several classes

}  // namespace helixcheck::planted
