// The built-in CPU subjects as tables of the C boundary.
//
//   cpu      fp32 arithmetic everywhere between the declared stores; contract `cpu`
//   cpu_p16  the same, but probabilities are rounded to the model dtype before they meet the
//   values,
//            as tensor-core kernels do; contract `cpu_p16`

#pragma once

#include "subject/helixcheck_subject.h"

namespace helixcheck::cpu {

const hxc_subject& subject();
const hxc_subject& subject_p16();

}  // namespace helixcheck::cpu
