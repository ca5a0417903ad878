// Subjects with one planted fault each, built over the CPU subject through its public table.

#pragma once

#include "subject/helixcheck_subject.h"

namespace helixcheck {

enum class Fault {
  flipped_cache_bit,  // append: top mantissa bit of one element of a newly stored row
  second_writer,      // append: a rank that does not own a row stores it as well
  dropped_key,        // attend: each row loses its last visible key on the last KVP rank
  late_write,         // attend: changes the cache it reads
  log2_merge,         // combine: natural-log LSEs are read as base 2
  lost_statistics,    // exchange: the LSEs never arrive
};

const hxc_subject& faulty_subject(Fault fault);

}  // namespace helixcheck
