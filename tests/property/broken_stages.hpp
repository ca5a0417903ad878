// Subjects with faults that relations between runs see: each is right for some layouts or orders
// and wrong for others.

#pragma once

#include "subject/helixcheck_subject.h"

namespace helixcheck {

enum class Broken {
  no_base,               // plan: positions of generated tokens lack position_base
  reads_beyond,          // attend: a row sees one key more where its page has room
  sorted_pages,          // attend: the block table is read in ascending order
  loses_beside_padding,  // attend: row 0 loses a key when padding rows are there
  first_of_calls,        // combine: the first call in this process differs from later ones
  counts_calls,          // combine: every call of an instance scales its results by another factor
  last_part_lost,        // combine: the last partial is left out
  zero_times_nan,        // combine: empty partials are multiplied by their weight of 0
  undivided,             // combine: values are not divided by the sum of weights
  lse_without_max,       // combine: the merged LSE lacks the maximum
  sum_ignored,           // combine: of (max, sum) the sum is taken for 1
};

const hxc_subject& broken_subject(Broken fault);

}  // namespace helixcheck
