// FNV-1a over seed and id, mixed: the lowest bit of FNV-1a alone is the parity of the letters.

#include "mutants/half.hpp"

#include <cstdint>

namespace helixcheck {

std::string_view name_of(Half half) {
  return half == Half::tuning ? "tuning" : "held-out";
}

Half half_of(std::string_view mutant_id) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](unsigned byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (unsigned shift = 0; shift < 32; shift += 8) add(kSplitSeed >> shift & 0xffu);
  for (const char letter : mutant_id) add(static_cast<unsigned char>(letter));
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;
  hash ^= hash >> 33;
  return hash % 2 == 0 ? Half::tuning : Half::held_out;
}

}  // namespace helixcheck
