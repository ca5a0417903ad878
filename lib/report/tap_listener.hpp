// Observers that write down what a run shows: statistics on standard error, tensors in files.

#pragma once

#include <filesystem>
#include <string>

#include "helix/taps.hpp"

namespace helixcheck {

// `run -v`: for every tap and rank its shape, minimum, maximum, mean, rms and first values.
class TapPrinter : public Observer {
 public:
  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps& taps) override;
  void on_event(const Step& step, const History& after) override;
};

// `run --dump DIR`: one safetensors file a step, "step3.safetensors", with tensors named
// "rank0.q"; prompts as "prompt0.request2.to1023.safetensors". Creates the folder. Throws
// InputError if it cannot be written.
class TapDumper : public Observer {
 public:
  explicit TapDumper(std::filesystem::path folder);
  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps& taps) override;
  void on_event(const Step&, const History&) override {}

 private:
  std::filesystem::path folder_;
};

// Hands everything on to two others.
class ListenerPair : public Observer {
 public:
  ListenerPair(Observer* first, Observer* second) : first_(first), second_(second) {}
  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps& taps) override;
  void on_event(const Step& step, const History& after) override;

 private:
  Observer* first_;
  Observer* second_;
};

}  // namespace helixcheck
