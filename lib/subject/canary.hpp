// A subject that is wrong once in a hundred small cases, for testing the search itself.

#pragma once

#include "subject/helixcheck_subject.h"

namespace helixcheck {

// A table to be put over the CPU subject's.
const hxc_subject& canary_subject();

}  // namespace helixcheck
