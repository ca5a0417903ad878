// The decode pipeline: drives a subject through a scenario's script on a world and shows every tap.
//
// Written once for all worlds: local stages run over the ranks of this process, collectives go
// through the world, and what the ranks show is brought to the root, where the observer lives.

#pragma once

#include <memory>

#include "helix/taps.hpp"
#include "mla/inputs.hpp"
#include "subject/subject.hpp"
#include "world/world.hpp"

namespace helixcheck {

class Pipeline {
 public:
  // All must outlive the object; the world has layout.kvp x layout.tpa ranks (`merge`: one).
  // Weights are handed to the subject and all memory is allocated here.
  Pipeline(const Inputs& inputs, World& world, const Subject& subject);
  ~Pipeline();

  // Runs the whole script. `observer` is called on the root only. Throws SubjectError if a stage
  // fails or the ranks disagree on a collective.
  void run(Observer& observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helixcheck
