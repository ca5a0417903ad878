// The strength table: how strong each property holds for each kind of subject.

#pragma once

#include <span>
#include <string_view>

#include "property/property.hpp"

namespace helixcheck {

struct Strengths {
  std::string_view property;
  Strength cpu, cpu_p16, cuda, plug_in;
};

// In the order of properties(); `equivalence` is judged by bounds of its own and is not listed.
std::span<const Strengths> strengths();

// A subject with an override is a plug-in whatever it overrides. Throws InputError for a property
// that the table does not list.
Strength strength_of(std::string_view property, const Subject& subject);

// Whether another layout or world may change the bits of queries and cache rows: a subject's own
// projections, or products whose order of summation follows their shape.
bool sources_vary(const Subject& subject);

// Whether anything but the built-in subject works on `stage`.
bool overridden(const Subject& subject, hxc_stage stage);

}  // namespace helixcheck
