// Contiguous ownership deals units (tokens, or blocks of `interleave` tokens) in runs; interleaved
// ownership deals runs of `interleave` tokens round-robin.

#include "scenario/ownership.hpp"

#include <algorithm>

namespace helixcheck {
namespace {

struct Range {
  std::int64_t begin, end;
};

// Contiguous ownership in units: the first `extra` ranks get one more than `each`.
struct Deal {
  Deal(const Layout& layout, std::int64_t prompt_len)
      : unit(layout.ownership == Ownership::contiguous ? 1 : layout.interleave) {
    const std::int64_t units = (prompt_len + unit - 1) / unit;
    each = units / layout.kvp;
    extra = units % layout.kvp;
  }
  std::int64_t unit, each = 0, extra = 0;
};

// Prompt tokens of a rank under contiguous ownership.
Range contiguous_range(const Layout& layout, std::int64_t kvp_rank, std::int64_t prompt_len) {
  const auto [unit, each, extra] = Deal(layout, prompt_len);
  const std::int64_t first = kvp_rank * each + std::min(kvp_rank, extra);
  const std::int64_t last = first + each + (kvp_rank < extra ? 1 : 0);
  return {std::min(first * unit, prompt_len), std::min(last * unit, prompt_len)};
}

std::int64_t round_robin_count(const Layout& layout, std::int64_t kvp_rank, std::int64_t tokens) {
  const std::int64_t cycle = layout.interleave * layout.kvp;
  const std::int64_t rest = tokens % cycle - kvp_rank * layout.interleave;
  return tokens / cycle * layout.interleave + std::clamp(rest, std::int64_t{0}, layout.interleave);
}

}  // namespace

std::int64_t owner_of(const Layout& layout, std::int64_t index, std::int64_t prompt_len) {
  if (index >= prompt_len) {
    if (layout.decode_owner == DecodeOwner::last) return layout.kvp - 1;
    const bool continued = layout.decode_owner == DecodeOwner::continued;
    return (continued ? index : index - prompt_len) / layout.interleave % layout.kvp;
  }
  if (layout.ownership == Ownership::interleaved) return index / layout.interleave % layout.kvp;
  const Deal deal(layout, prompt_len);
  const std::int64_t unit = index / deal.unit, first = deal.extra * (deal.each + 1);
  return unit < first ? unit / (deal.each + 1) : deal.extra + (unit - first) / deal.each;
}

std::int64_t owned_count(const Layout& layout, std::int64_t kvp_rank, std::int64_t tokens,
                         std::int64_t prompt_len) {
  const std::int64_t prompt = std::min(tokens, prompt_len);
  std::int64_t count = 0;
  if (layout.ownership == Ownership::interleaved) {
    count = round_robin_count(layout, kvp_rank, prompt);
  } else {
    const Range range = contiguous_range(layout, kvp_rank, prompt_len);
    count = std::clamp(prompt - range.begin, std::int64_t{0}, range.end - range.begin);
  }
  if (tokens <= prompt_len) return count;
  switch (layout.decode_owner) {
    case DecodeOwner::last: return count + (kvp_rank == layout.kvp - 1 ? tokens - prompt_len : 0);
    case DecodeOwner::continued:
      return count + round_robin_count(layout, kvp_rank, tokens) -
             round_robin_count(layout, kvp_rank, prompt_len);
    case DecodeOwner::restarted:
      return count + round_robin_count(layout, kvp_rank, tokens - prompt_len);
  }
  return count;
}

std::int64_t nth_owned_prompt(const Layout& layout, std::int64_t kvp_rank, std::int64_t local,
                              std::int64_t prompt_len) {
  if (local < 0 || local >= owned_count(layout, kvp_rank, prompt_len, prompt_len)) return -1;
  if (layout.ownership != Ownership::interleaved) {
    return contiguous_range(layout, kvp_rank, prompt_len).begin + local;
  }
  return (local / layout.interleave * layout.kvp + kvp_rank) * layout.interleave +
         local % layout.interleave;
}

}  // namespace helixcheck
