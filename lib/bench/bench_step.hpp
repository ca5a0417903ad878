// One decode step of a subject, ready to be run again and again.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "bench/rank_buffers.hpp"
#include "device/memory.hpp"
#include "helix/weight_copies.hpp"
#include "mla/inputs.hpp"
#include "subject/subject.hpp"
#include "world/world.hpp"

namespace helixcheck::bench {

// Parts of the subject in order, run directly or as recorded device work.
class Sequence {
 public:
  virtual ~Sequence() = default;
  virtual void run() = 0;
  virtual bool recorded() const = 0;
};

class BenchStep {
 public:
  // All must outlive the object. Runs `plan` once, if it is a part of its own.
  BenchStep(const Inputs& inputs, World& world, const Subject& subject, Memory& memory);
  ~BenchStep();

  // What one step runs after `plan`; also `plan` itself where a span holds it.
  std::unique_ptr<Sequence> whole(bool record);
  // One stage; null where a span holds it together with others.
  std::unique_ptr<Sequence> stage(hxc_stage stage, bool record);
  bool shows(hxc_stage stage) const;  // the stage's results are promised to be written

  double plan_us() const { return plan_us_; }  // host time of the second call, work included
  std::span<const std::unique_ptr<RankBuffers>> ranks() const { return ranks_; }
  const Inputs& inputs() const { return inputs_; }
  const Subject& subject() const { return subject_; }
  World& world() const { return world_; }
  Memory& memory() const { return memory_; }

 private:
  std::unique_ptr<Sequence> sequence(std::vector<const Subject::Part*> parts, bool record);
  void run_plan();

  const Inputs& inputs_;
  World& world_;
  const Subject& subject_;
  Memory& memory_;
  const hxc_model model_;
  const WeightCopies weight_copies_;
  const WeightAddress weight_address_;
  hxc_comm comm_;
  std::vector<std::unique_ptr<RankBuffers>> ranks_;
  std::vector<hxc_step*> steps_;
  std::unique_ptr<Subject::Instance> instance_;
  double plan_us_ = 0;
};

}  // namespace helixcheck::bench
