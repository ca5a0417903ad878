// What a rank states when it enters a collective. A world in which the statements differ is a
// finding: on real transports it would be a hang, or another rank's bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "world/world.hpp"

namespace helixcheck {

// `connect`: the ranks choose what tensors on their GPUs travel by. `leave` is what a rank states
// whose world ends, so that one that gives up early is seen at once.
enum class Collective : std::int64_t {
  all_to_all,
  all_gather,
  all_reduce,
  reduce_scatter,
  gather_to_root,
  agree,
  connect,
  leave
};

// Plain 64-bit fields: ranks exchange it as it lies in memory.
struct Statement {
  Collective kind = Collective::leave;
  Group group = Group::all;
  std::int64_t step = -1;  // -1: no step, harness traffic
  // Bytes of a block, values of a sum, bytes of this rank's data (gather_to_root), the answer
  // (agree), or the wish (connect).
  std::int64_t value = 0;
  std::int64_t dtype = 0;  // hxc_dtype of a sum
};

// Throws SubjectError naming which ranks entered what, unless all `statements` (one a rank, in rank
// order) name one collective of one step, with one size where blocks are exchanged or added.
void check_agreement(std::span<const Statement> statements);

// Throws SubjectError unless the process brings one send and one receive buffer for each of its
// `local_ranks` ranks.
void check_buffers(const Statement& statement, std::size_t sends, std::size_t receives,
                   int local_ranks);

}  // namespace helixcheck
