// Pending rows exist only where the subject computes latents: given rows are drawn again when
// needed.

#include "verdict/cache_mirror.hpp"

#include <algorithm>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {

CacheMirror::CacheMirror(const Scenario& scenario, const Geometry& geometry)
    : scenario_(scenario), geometry_(geometry) {}

CacheMirror::Request& CacheMirror::at(std::int64_t id) {
  Request& request = requests_[id];
  request.shards.resize(static_cast<std::size_t>(geometry_.ranks));
  return request;
}

void CacheMirror::push(std::int64_t id, std::int64_t rank, const std::byte* latent,
                       std::int64_t count) {
  Shard& shard = at(id).shards[static_cast<std::size_t>(rank)];
  const auto rows = static_cast<std::size_t>(count);
  const std::size_t bytes =
      rows * static_cast<std::size_t>(geometry_.width) * size_of(geometry_.dtype);
  shard.shown.insert(shard.shown.end(), rows, latent != nullptr);
  if (latent != nullptr) {
    shard.pending.insert(shard.pending.end(), latent, latent + bytes);
  } else {
    shard.pending.resize(shard.pending.size() + bytes);
  }
}

void CacheMirror::expect(std::int64_t id, std::int64_t rank, std::int64_t rows) {
  Shard& shard = at(id).shards[static_cast<std::size_t>(rank)];
  shard.pending.reserve(static_cast<std::size_t>(rows * geometry_.width) *
                        size_of(geometry_.dtype));
}

void CacheMirror::follow(const Step& step, const History& after) {
  if (step.kind == StepKind::finish) {
    for (const std::int64_t id : step.requests) requests_.erase(id);
  } else if (step.kind == StepKind::fork) {
    Request copy = at(step.requests.front());
    requests_[after.requests_ever() - 1] = std::move(copy);
  } else if (step.kind == StepKind::reject) {
    for (const std::int64_t id : step.requests) truncate(id, after.request(id));
  }
}

// Rows leave from the end: pending ones first, since they are the newest.
void CacheMirror::truncate(std::int64_t id, const RequestState& state) {
  Request& request = at(id);
  const std::int64_t kept = state.tokens.size();
  const std::int64_t given = scenario_.problem.prompt == Prompt::given ? state.prompt_len : 0;
  const std::int64_t row_bytes =
      geometry_.width * static_cast<std::int64_t>(size_of(geometry_.kv_dtype));
  const std::int64_t pending_bytes =
      geometry_.width * static_cast<std::int64_t>(size_of(geometry_.dtype));
  for (std::int64_t rank = 0; rank < geometry_.ranks; ++rank) {
    Shard& shard = request.shards[static_cast<std::size_t>(rank)];
    const auto owned = [&](std::int64_t tokens) {
      return owned_count(scenario_.layout, geometry_.kvp_rank(rank), tokens, state.prompt_len);
    };
    if (kept < request.confirmed) {
      shard.seen.resize(static_cast<std::size_t>(owned(kept) * row_bytes));
      shard.pending.clear();
      shard.shown.clear();
    } else {
      const std::int64_t before = std::max(request.confirmed, given);  // not in `pending`
      const std::int64_t rows =
          std::min<std::int64_t>(std::ssize(shard.shown), owned(kept) - owned(before));
      shard.shown.resize(static_cast<std::size_t>(rows));
      shard.pending.resize(static_cast<std::size_t>(rows * pending_bytes));
    }
  }
  request.confirmed = std::min(request.confirmed, kept);
}

}  // namespace helixcheck
