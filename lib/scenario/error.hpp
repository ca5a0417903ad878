// The two ways a request to Helixcheck can be refused. Both carry one sentence for the user.

#pragma once

#include <stdexcept>
#include <string>

namespace helixcheck {

// Bad usage or input: exit status 2. The sentence names what is wrong, where, and the rule.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The machine lacks what was asked for (MPI, memory, a plug-in): exit status 3.
struct ResourceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The code under test broke a rule that no tolerance covers (a collective the ranks disagree on, an
// error code, a fault): a finding, exit status 1.
struct SubjectError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace helixcheck
