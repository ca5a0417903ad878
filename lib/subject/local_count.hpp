// How many of a request's tokens a rank holds: the closed forms of the engines, which the built-in
// subjects' plans share. Host and device code; the judge has a definition of its own.

#pragma once

#include <algorithm>
#include <cstdint>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

// Of `length` tokens dealt in runs of I over C ranks: whole rounds, then a part of the last one.
constexpr std::int64_t dealt(std::int64_t length, const hxc_rank& place) {
  const std::int64_t run = place.interleave;
  const std::int64_t base = length / run / place.kvp * run;
  const std::int64_t rest = length - base * place.kvp;
  return base + std::clamp<std::int64_t>(rest - place.kvp_rank * run, 0, run);
}

// Of `units` units cut into C runs, where this rank's run starts (rank = C: the end of the last).
constexpr std::int64_t run_start(std::int64_t units, std::int64_t ranks, std::int64_t rank) {
  return units / ranks * rank + std::min(rank, units % ranks);
}

constexpr std::int64_t prompt_share(std::int64_t tokens, std::int64_t prompt_len,
                                    const hxc_rank& place) {
  if (place.ownership == HXC_INTERLEAVED) return dealt(tokens, place);
  const std::int64_t unit = place.ownership == HXC_CONTIGUOUS ? 1 : place.interleave;
  const std::int64_t units = (prompt_len + unit - 1) / unit;
  const std::int64_t begin = unit * run_start(units, place.kvp, place.kvp_rank);
  const std::int64_t end = unit * run_start(units, place.kvp, place.kvp_rank + 1);
  return std::min(tokens, end) - std::min(tokens, begin);
}

// Of a request's first `tokens` tokens, how many this rank holds.
constexpr std::int64_t local_count(std::int64_t tokens, std::int64_t prompt_len,
                                   const hxc_rank& place) {
  if (tokens <= prompt_len) return prompt_share(tokens, prompt_len, place);
  const std::int64_t held = prompt_share(prompt_len, prompt_len, place);
  switch (place.decode_owner) {
    case HXC_OWNER_LAST: return held + (place.kvp_rank == place.kvp - 1 ? tokens - prompt_len : 0);
    case HXC_OWNER_CONTINUED: return held + dealt(tokens, place) - dealt(prompt_len, place);
    default: return held + dealt(tokens - prompt_len, place);
  }
}

}  // namespace helixcheck
