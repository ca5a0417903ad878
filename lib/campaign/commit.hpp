// Which version of this project was built.

#pragma once

#include <string>

namespace helixcheck {

// The abbreviated commit, or "" outside of a repository.
std::string project_commit();

}  // namespace helixcheck
