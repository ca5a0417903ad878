// The values of one case under the scenario of another: what a variation changes is where bytes lie
// and how they are worked on, never the values. Planted keys and shard constants, which follow the
// layout, stay those of the case.

#pragma once

#include <optional>
#include <utility>

#include "mla/inputs.hpp"

namespace helixcheck {

class VariedInputs : public Inputs {
 public:
  // Both must outlive the object. `partials` replaces those of the case, at entry merge.
  VariedInputs(const Inputs& values, const Scenario& scenario,
               std::optional<Partials> partials = std::nullopt)
      : values_(values), scenario_(scenario), partials_(std::move(partials)) {}

  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return values_.rope(); }
  const Weights& weights() const override { return values_.weights(); }
  void hidden(Token first, std::int64_t count, std::byte* out) const override {
    values_.hidden(first, count, out);
  }
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override {
    values_.latent(first, index, count, out);
  }
  void query(const Row& row, std::byte* out) const override { values_.query(row, out); }
  Partials partials() const override { return partials_ ? *partials_ : values_.partials(); }

 private:
  const Inputs& values_;
  const Scenario& scenario_;
  const std::optional<Partials> partials_;
};

}  // namespace helixcheck
