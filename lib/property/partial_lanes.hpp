// Partial results of a merge as numbers: what each (row, head) receives, exactly and how far what
// is handed to the subject may be from that.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/inputs.hpp"
#include "verdict/span_bound.hpp"

namespace helixcheck {

class PartialLanes {
 public:
  // Partials handed over as they are. `form`: how their statistics are written.
  PartialLanes(const Partials& partials, LseForm form);

  std::int64_t parts() const { return parts_; }
  std::int64_t lanes() const { return lanes_; }   // (row, head) pairs
  std::int64_t holding(std::int64_t lane) const;  // partials with keys

  // Exact merge and bound of a lane. Requires holding(lane) > 0.
  bounds::SpanResult merge(const Contract& contract, std::int64_t lane, std::span<double> o,
                           std::span<double> error) const;

  // Takes partial `part` of a lane for one known only up to errors.
  void replace(std::int64_t part, std::int64_t lane, const bounds::SpanResult& lse,
               std::span<const double> o, std::span<const double> error);
  // Every LSE exactly larger by `shift`, handed over as fp32.
  void shift(double shift);

 private:
  std::size_t at(std::int64_t part, std::int64_t lane) const {
    return static_cast<std::size_t>(part * lanes_ + lane);
  }

  LseForm form_;
  Dtype dtype_;
  std::int64_t parts_, lanes_;
  std::size_t latent_;
  std::vector<double> o_, error_;        // [parts, lanes, R]
  std::vector<double> lse_, lse_error_;  // [parts, lanes]
  std::vector<double> gauge_;            // [parts, lanes]: what statistics are written against
};

}  // namespace helixcheck
