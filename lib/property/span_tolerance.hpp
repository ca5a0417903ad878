// How far the merged values of a traced run may be from the exact ones, computed from the queries
// and cache rows that the run showed, at entry merge from the partials it was given. Made on
// demand: rows that agree bit for bit cost nothing.

#pragma once

#include <span>
#include <vector>

#include "property/trace.hpp"
#include "run/run.hpp"
#include "verdict/contract.hpp"
#include "verdict/geometry.hpp"
#include "verdict/span_reference.hpp"

namespace helixcheck {

class SpanTolerance {
 public:
  // All must outlive the object. The trace must have been taken with `sources`.
  SpanTolerance(const Inputs& inputs, const Trace& trace, const StageContracts& contracts);

  // Whether the step shows what a bound is computed from.
  bool known(std::size_t step) const;

  // Of one row and head, before the final store. Requires known(step).
  struct Lane {
    std::span<const double> value;  // [R]
    double lse = 0;
    bool credible = false;
  };
  Lane lane(std::size_t step, std::size_t row, std::int64_t head);

 private:
  struct StepBounds {
    std::vector<bool> done;     // by request of the step; at entry merge one for all
    std::vector<double> value;  // [rows, H, R]
    std::vector<double> lse;    // [rows, H]
    std::vector<bool> credible;
  };

  void compute(const TraceStep& step, const TraceRequest& request, StepBounds& bounds) const;
  void compute_merge(StepBounds& bounds) const;
  std::vector<double> queries(const TraceStep& step, const TraceRequest& request) const;
  SpanShard shard(const TraceStep& step, const TraceRequest& request, std::int64_t rank) const;

  const Inputs& inputs_;
  const Trace& trace_;
  const StageContracts contracts_;
  const Geometry geometry_;
  std::vector<StepBounds> steps_;
};

}  // namespace helixcheck
