// One decode step as the stage checks use it: taps by rank, rows with their names, and the integers
// of the plan, by definition and as the later stages received them.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "helix/taps.hpp"
#include "verdict/geometry.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

class StepView {
 public:
  // All must outlive the view.
  StepView(const Scenario& scenario, const Geometry& geometry, const StepTaps& taps);

  const StepTaps& taps() const { return taps_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(places_.size()); }  // with padding
  std::int64_t real_rows() const { return static_cast<std::int64_t>(taps_.rows.size()); }

  // nullptr if the run does not show it.
  const TapView* find(std::int64_t rank, Tap tap) const;

  // Step, request and row filled in; no request for padding rows.
  const Place& place(std::int64_t row) const { return places_[static_cast<std::size_t>(row)]; }
  Place place(std::int64_t row, std::int64_t rank, std::int64_t head) const;

  // The request in slot s of the step, as the history knows it, and its rows.
  const RequestState& request(std::int64_t slot) const;
  std::int64_t slots() const { return static_cast<std::int64_t>(taps_.requests.size()); }
  std::int64_t first_row(std::int64_t slot) const {
    return first_row_[static_cast<std::size_t>(slot)];
  }
  std::int64_t row_count(std::int64_t slot) const { return first_row(slot + 1) - first_row(slot); }

  // By definition.
  std::int64_t position(std::int64_t row) const;
  std::int64_t local_len(std::int64_t rank, std::int64_t slot) const;
  std::int64_t visible(std::int64_t rank, std::int64_t row) const;

  // What project and attend were given: the tap where there is one, else the definition.
  std::int64_t received_position(std::int64_t rank, std::int64_t row) const;
  std::int64_t received_visible(std::int64_t rank, std::int64_t row) const;

 private:
  const Scenario& scenario_;
  const Geometry& geometry_;
  const StepTaps& taps_;
  std::vector<Place> places_;
  std::vector<std::int64_t> first_row_;
};

}  // namespace helixcheck
