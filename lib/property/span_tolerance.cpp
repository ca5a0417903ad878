// Exact attention of every shard, and the composed bound of each row and head over them.

#include "property/span_tolerance.hpp"

#include <algorithm>

#include "mla/formats.hpp"
#include "property/partial_lanes.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {

SpanTolerance::SpanTolerance(const Inputs& inputs, const Trace& trace,
                             const StageContracts& contracts)
    : inputs_(inputs),
      trace_(trace),
      contracts_(contracts),
      geometry_(inputs.scenario()),
      steps_(trace.steps.size()) {}

bool SpanTolerance::known(std::size_t step) const {
  const TraceStep& shown = trace_.steps[step];
  if (inputs_.problem().entry == Entry::merge) return true;
  const bool queries = inputs_.problem().entry != Entry::layer || !shown.query.empty();
  return queries && std::ssize(shown.cache) == geometry_.kvp;
}

// Widened, [rows of the request, H, R + P].
std::vector<double> SpanTolerance::queries(const TraceStep& step,
                                           const TraceRequest& request) const {
  const std::int64_t per_row = geometry_.heads * geometry_.width;
  const auto row_bytes = static_cast<std::size_t>(per_row) * size_of(geometry_.dtype);
  const auto first = static_cast<std::size_t>(request.first_row);
  const auto count = static_cast<std::size_t>(request.row_count);
  std::vector<std::byte> drawn;
  const std::byte* codes = step.query.data() + first * row_bytes;
  if (inputs_.problem().entry != Entry::layer) {
    drawn.resize(count * row_bytes);
    for (std::size_t row = 0; row < count; ++row) {
      inputs_.query(step.rows[first + row], drawn.data() + row * row_bytes);
    }
    codes = drawn.data();
  }
  std::vector<double> q(count * static_cast<std::size_t>(per_row));
  decode_to(geometry_.dtype, codes, std::span<double>(q));
  return q;
}

SpanShard SpanTolerance::shard(const TraceStep& step, const TraceRequest& request,
                               std::int64_t rank) const {
  const Geometry& g = geometry_;
  const Layout& layout = inputs_.scenario().layout;
  std::int64_t skipped = 0;  // rows of the requests listed before this one
  for (const TraceRequest& other : step.requests) {
    if (other.id == request.id) break;
    skipped += owned_count(layout, rank, other.tokens, other.prompt_len);
  }
  SpanShard shard;
  for (std::int64_t row = 0; row < request.row_count; ++row) {
    const std::int64_t index = step.rows[static_cast<std::size_t>(request.first_row + row)].index;
    shard.visible.push_back(owned_count(layout, rank, index + 1, request.prompt_len));
  }
  const std::byte* keys = step.cache[static_cast<std::size_t>(rank)].data() +
                          skipped * g.width * static_cast<std::int64_t>(size_of(g.kv_dtype));
  shard.keys = {g.kv_dtype, inputs_.problem().kv_scale, keys};
  return shard;
}

void SpanTolerance::compute(const TraceStep& step, const TraceRequest& request,
                            StepBounds& to) const {
  std::vector<SpanShard> shards;
  for (std::int64_t rank = 0; rank < geometry_.kvp; ++rank) {
    shards.push_back(shard(step, request, rank));
  }
  const SpanLanes lanes = span_reference(inputs_, contracts_, queries(step, request), shards);
  const std::int64_t first = request.first_row * geometry_.heads;
  std::copy(lanes.error.begin(), lanes.error.end(), to.value.begin() + first * geometry_.latent);
  std::copy(lanes.lse_error.begin(), lanes.lse_error.end(), to.lse.begin() + first);
  std::copy(lanes.credible.begin(), lanes.credible.end(), to.credible.begin() + first);
}

void SpanTolerance::compute_merge(StepBounds& to) const {
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  const Contract& merging = *contracts_[static_cast<std::size_t>(Stage::combine)];
  const PartialLanes lanes(inputs_.partials(), inputs_.scenario().layout.lse_form);
  std::vector<double> o(latent);
  for (std::int64_t lane = 0; lane < lanes.lanes(); ++lane) {
    if (lanes.holding(lane) == 0) continue;  // not credible: the result is no mean
    const auto index = static_cast<std::size_t>(lane);
    const bounds::SpanResult result =
        lanes.merge(merging, lane, o, {to.value.data() + index * latent, latent});
    to.lse[index] = result.lse_error;
    to.credible[index] = result.credible;
  }
}

SpanTolerance::Lane SpanTolerance::lane(std::size_t step, std::size_t row, std::int64_t head) {
  const TraceStep& shown = trace_.steps[step];
  StepBounds& bounds = steps_[step];
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  const auto lanes = shown.rows.size() * static_cast<std::size_t>(geometry_.heads);
  if (bounds.done.empty()) {
    bounds.done.resize(std::max<std::size_t>(shown.requests.size(), 1));
    bounds.value.resize(lanes * latent);
    bounds.lse.resize(lanes);
    bounds.credible.resize(lanes);
  }
  const auto slot = static_cast<std::size_t>(shown.rows[row].slot);
  if (!bounds.done[slot]) {
    if (inputs_.problem().entry == Entry::merge) {
      compute_merge(bounds);
    } else {
      compute(shown, shown.requests[slot], bounds);
    }
    bounds.done[slot] = true;
  }
  const auto index =
      row * static_cast<std::size_t>(geometry_.heads) + static_cast<std::size_t>(head);
  return {
      {bounds.value.data() + index * latent, latent}, bounds.lse[index], bounds.credible[index]};
}

}  // namespace helixcheck
