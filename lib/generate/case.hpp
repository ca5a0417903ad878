// A case: a scenario materialised, with values drawn from Philox streams or read from a file.

#pragma once

#include <memory>
#include <optional>

#include "generate/core_values.hpp"
#include "mla/inputs.hpp"

namespace helixcheck {

// Values drawn from the scenario's seed. At `layer` as the fixed-scenario test draws them: hidden
// states U(-1,1), norm weights U(0.9,1.1), projections Kaiming-uniform, the value half of kv_b
// U(-1,1); `logit_gain` multiplies the query projection.
class DrawnCase : public Inputs {
 public:
  explicit DrawnCase(const Scenario& scenario);  // requires validity
  DrawnCase(const DrawnCase&) = delete;
  DrawnCase& operator=(const DrawnCase&) = delete;

  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return rope_; }
  const Weights& weights() const override { return weights_; }
  void hidden(Token first, std::int64_t count, std::byte* out) const override;
  std::optional<DrawnHidden> drawn_hidden() const override;
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override;
  void query(const Row& row, std::byte* out) const override;
  Partials partials() const override;

 private:
  void draw_weights();

  const Scenario scenario_;
  const RopeTable rope_;
  Weights weights_;
  std::optional<CoreValues> core_;
};

// The case of a scenario: drawn, or read from `problem.data.tensors`. Requires validity; throws
// InputError for a file that does not fit the scenario.
std::unique_ptr<Inputs> make_case(const Scenario& scenario);

}  // namespace helixcheck
