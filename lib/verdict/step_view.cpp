// Ownership comes from the definition in scenario/ownership, never from a tap.

#include "verdict/step_view.hpp"

#include "scenario/ownership.hpp"

namespace helixcheck {

StepView::StepView(const Scenario& scenario, const Geometry& geometry, const StepTaps& taps)
    : scenario_(scenario), geometry_(geometry), taps_(taps) {
  std::size_t rows = taps.rows.size() + static_cast<std::size_t>(taps.padding_rows);
  if (scenario.problem.entry == Entry::merge) {  // no requests: rows are those of the partials
    const TapView* partials = find(0, Tap::exchanged);
    rows = partials != nullptr ? static_cast<std::size_t>(partials->shape[1]) : 0;
  }
  places_.resize(rows);
  first_row_.assign(taps.requests.size() + 1, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    places_[row].step = taps.step;
    places_[row].row = static_cast<std::int64_t>(row);
    if (row >= taps.rows.size() || taps.requests.empty()) continue;
    places_[row].request = taps.rows[row].request;
    ++first_row_[static_cast<std::size_t>(taps.rows[row].slot) + 1];
  }
  for (std::size_t slot = 1; slot < first_row_.size(); ++slot) {
    first_row_[slot] += first_row_[slot - 1];
  }
}

const TapView* StepView::find(std::int64_t rank, Tap tap) const {
  const TapView& view = taps_.ranks[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
  return view.present ? &view : nullptr;
}

Place StepView::place(std::int64_t row, std::int64_t rank, std::int64_t head) const {
  Place place = places_[static_cast<std::size_t>(row)];
  place.rank = rank;
  place.head = head;
  place.element = 0;
  return place;
}

const RequestState& StepView::request(std::int64_t slot) const {
  return taps_.history->request(taps_.requests[static_cast<std::size_t>(slot)].id);
}

std::int64_t StepView::position(std::int64_t row) const {
  if (row >= real_rows()) return 0;
  return scenario_.problem.position_base + taps_.rows[static_cast<std::size_t>(row)].index;
}

std::int64_t StepView::local_len(std::int64_t rank, std::int64_t slot) const {
  const RequestState& r = request(slot);
  return owned_count(scenario_.layout, geometry_.kvp_rank(rank), r.tokens.size(), r.prompt_len);
}

std::int64_t StepView::visible(std::int64_t rank, std::int64_t row) const {
  if (row >= real_rows()) return 0;
  const Row& r = taps_.rows[static_cast<std::size_t>(row)];
  return owned_count(scenario_.layout, geometry_.kvp_rank(rank), r.index + 1,
                     taps_.history->request(r.request).prompt_len);
}

std::int64_t StepView::received_position(std::int64_t rank, std::int64_t row) const {
  const TapView* tap = find(rank, Tap::position);
  return tap != nullptr ? tap->as_int64()[row] : position(row);
}

std::int64_t StepView::received_visible(std::int64_t rank, std::int64_t row) const {
  const TapView* tap = find(rank, Tap::visible);
  return tap != nullptr ? tap->as_int64()[row] : visible(rank, row);
}

}  // namespace helixcheck
