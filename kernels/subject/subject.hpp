// The built-in CUDA subjects as tables of the C boundary.
//
//   cuda       stage by stage, exchange as one packed all-to-all; contract `cuda`
//   cuda_agrs  the merge as a span, all-gather of statistics and reduce-scatter of scaled partials
//              in the model dtype; contract `cuda_agrs`

#pragma once

#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

const hxc_subject& subject();
const hxc_subject& subject_agrs();

}  // namespace helixcheck::cuda
