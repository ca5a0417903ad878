// Mutants: the CPU subject, or subject `cuda`, with one stage, one named decision or one rule of
// the world replaced by a fault that really happened. They prove that the checker finds what it
// should.

#pragma once

#include <span>
#include <string_view>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

// The kinds of bugs of this field.
enum class MutantClass {
  merge,         // softmax and LSE merge of partial results
  position,      // positions, RoPE, YaRN, softmax scale
  ownership,     // which rank holds which token
  paging,        // paged-cache indices and their width
  exchange,      // collectives and the layout of what they carry
  stale_state,   // what is left of an earlier step, synchronisation
  quantised_kv,  // KV caches in fewer bits
  precision,     // formats and accumulators
  masks,         // causal masks, several query tokens a request
  shapes,        // limits of shapes and strides
};
std::string_view name_of(MutantClass mutant_class);
std::string_view name_of(hxc_memory memory);  // "host", "cuda"

struct Mutant {
  std::string_view id;     // "merge_weight_base_2", unique, [a-z0-9_]+
  std::string_view title;  // what is wrong, one line
  MutantClass mutant_class;
  // Where it happened: "sgl-project/sglang#1234"; "like ..." where that report has the same
  // decision wrong in another way.
  std::string_view source;
  hxc_stage stage;             // that the blame must name
  std::string_view smallest;   // the known smallest scenario that must expose it, fields as on the
                               // command line: "kvp=2 ctx_len=3"; what is left out is the smallest
  const hxc_subject* subject;  // a table to be put over the CPU subject's; nullptr: the CUDA part
                               // has it, for subject `cuda`, under the mutant's id

  hxc_memory memory() const { return subject != nullptr ? HXC_HOST : HXC_CUDA; }
};

// The registry, by class, then by id: first those of the CPU subject, then those of device code.
std::span<const Mutant> mutants();

// Throws InputError listing the known ids that are nearest.
const Mutant& find_mutant(std::string_view id);

// Its table. Throws ResourceError where it needs CUDA and that is missing.
const hxc_subject& table_of(const Mutant& mutant);

}  // namespace helixcheck
