// A case whose tensors come from a safetensors file, such as a dump of a real layer. Weights are
// named as in Hugging Face checkpoints: "weight.q_a_proj.weight", and so on.

#pragma once

#include <filesystem>
#include <string>

#include "generate/safetensors.hpp"
#include "mla/inputs.hpp"

namespace helixcheck {

// Reads `problem.data.tensors`: "path/file.safetensors", or "path/file.safetensors#prefix" for
// tensors "prefix.hidden_states" and "prefix.weight....". Values are rounded to the scenario's
// dtype. Entry `layer` with a computed prompt only.
//   hidden_states [requests, tokens, D]: request r's draw d is [r, d]; at least the batch's
//   requests and at least the tokens that the script draws.
class TensorInputs : public Inputs {
 public:
  // Requires validity. Throws InputError where the file does not fit the scenario.
  explicit TensorInputs(const Scenario& scenario);
  TensorInputs(const TensorInputs&) = delete;
  TensorInputs& operator=(const TensorInputs&) = delete;

  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return rope_; }
  const Weights& weights() const override { return weights_; }
  void hidden(Token first, std::int64_t count, std::byte* out) const override;
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override;
  void query(const Row& row, std::byte* out) const override;
  Partials partials() const override;

 private:
  void check_draws() const;

  const Scenario scenario_;
  const RopeTable rope_;
  Weights weights_;
  Tensor hidden_states_;  // [requests, tokens, D]
};

}  // namespace helixcheck
