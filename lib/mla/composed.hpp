// The stage recomputations chained end to end: the reference's second form, absorbed, blocked and
// chunked over tokens, for scenarios too large for the first. The two agree to 1e-12.

#pragma once

#include <functional>
#include <memory>
#include <span>

#include "mla/inputs.hpp"
#include "mla/reference.hpp"

namespace helixcheck {

class Composed {
 public:
  // `store` is applied to each value that a subject would round to a format; the default keeps
  // values as they are. A stochastic rounding there samples the rounding noise of the output; then
  // attention and output projection run shard by shard, since ranks store their partial results.
  using Store = std::function<double(Dtype, double)>;
  explicit Composed(const Inputs& inputs, Store store = {});
  ~Composed();

  StepResult step(const History& history, std::span<const Row> rows);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helixcheck
