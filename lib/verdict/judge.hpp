// The judge: watches a run and compares every tap with an fp64 recomputation from the bits that
// stage really received.

#pragma once

#include <memory>

#include "helix/taps.hpp"
#include "mla/accelerator.hpp"
#include "mla/inputs.hpp"
#include "verdict/contract.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

class Judge : public Observer {
 public:
  // All must outlive the judge. `contracts` is indexed by Stage. What is large is computed on the
  // accelerator, if there is one; it must be nobody else's meanwhile.
  Judge(const Inputs& inputs, const Contract& contract, Accelerator* accelerator = nullptr);
  Judge(const Inputs& inputs, const StageContracts& contracts, Accelerator* accelerator = nullptr);
  ~Judge() override;

  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps& taps) override;
  void on_event(const Step& step, const History& after) override;

  Verdict verdict();  // after the run

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helixcheck
