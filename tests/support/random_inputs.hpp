// Inputs for tests that need numbers but not the generator: every value is a hash of where it
// stands, uniform in [-1, 1) times a gain that keeps the pipeline near unit scale.

#pragma once

#include "mla/inputs.hpp"

namespace helixcheck {

class RandomInputs : public Inputs {
 public:
  explicit RandomInputs(Scenario scenario);

  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return rope_; }
  const Weights& weights() const override { return weights_; }
  void hidden(Token first, std::int64_t count, std::byte* out) const override;
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override;
  void query(const Row& row, std::byte* out) const override;
  // [kvp, batch, H, ...]; about one in four is empty.
  Partials partials() const override;

 private:
  // Fills `out` with `count` codes of the activation dtype, the values of (stream, a, b).
  void fill(std::uint64_t stream, std::int64_t a, std::int64_t b, std::int64_t count, double gain,
            std::byte* out) const;
  Tensor weight(std::uint64_t stream, std::vector<std::int64_t> shape, double gain) const;

  Scenario scenario_;
  RopeTable rope_;
  Weights weights_;
};

}  // namespace helixcheck
