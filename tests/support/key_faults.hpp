// Subjects that treat one key of the cache wrongly, or count offsets into it in 32 bits.

#pragma once

#include <cstdint>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

enum class KeyFaultKind {
  lost,     // attend leaves the key out
  doubled,  // attend reads it twice; its shard must end inside a page
  stale     // attend reads another row in its place
};

// On all ranks of one KVP rank, request slot 0; `local` and `other` are rows of the shard.
struct KeyFault {
  KeyFaultKind kind = KeyFaultKind::lost;
  int kvp_rank = 0;
  std::int64_t local = 0, other = 0;
};

// One at a time: a second call changes what the first one's subject does.
const hxc_subject& key_fault_subject(const KeyFault& fault);

enum class Wrap { append_signed, append_unsigned, attend_signed, attend_unsigned };

// The stage truncates the offset of a page, in elements, to 32 bits.
const hxc_subject& wrapping_subject(Wrap wrap);

}  // namespace helixcheck
