// Bytes are copied once, when they are shown: what a later stage does to them is its own affair.

#include "helix/tap_collector.hpp"

#include <cstring>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {
namespace {

std::int64_t item_bytes(const TapView& view) {
  return view.integers ? 8 : static_cast<std::int64_t>(size_of(view.dtype));
}

Bytes bytes_of(const TapView& view) {
  return {view.data, static_cast<std::size_t>(view.elements() * item_bytes(view))};
}

TapView pair_view(const std::array<std::int64_t, 2>& pair) {
  return TapView{true, true, Dtype::fp32, {2}, reinterpret_cast<const std::byte*>(pair.data())};
}

}  // namespace

void TapCollector::begin_step() {
  rows_.resize(ranks_.size());
  spare_.assign(ranks_.size(), Pair{0, -1});
  late_.assign(ranks_.size(), Pair{0, -1});
  for (Kept& kept : kept_) kept.views.clear();
}

void TapCollector::read_cache(std::span<const StepRequest> requests) {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    PagedCache& cache = ranks_[i]->cache();
    std::int64_t rows = 0;
    for (const StepRequest& request : requests) {
      const std::int64_t length = cache.length(request.id);
      const std::int64_t before = owned_count(ranks_[i]->layout(), ranks_[i]->place().kvp_rank,
                                              request.cached, request.prompt_len);
      cache.accept(request.id, before, length);
      rows += length;
    }
    rows_[i].resize(static_cast<std::size_t>(rows * cache.row_bytes()));
    std::byte* out = rows_[i].data.get();
    for (const StepRequest& request : requests) out = cache.read(request.id, out);
    const PagedCache::Changes changes = cache.take_changes();
    spare_[i] = {changes.count, changes.first};
  }
}

void TapCollector::read_late_changes() {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const PagedCache::Changes changes = ranks_[i]->cache().take_changes();
    late_[i] = {changes.count, changes.first};
  }
}

void TapCollector::Rows::resize(std::size_t bytes) {
  if (bytes > room) {
    data = std::make_unique_for_overwrite<std::byte[]>(bytes);
    room = bytes;
  }
  size = bytes;
}

bool TapCollector::stays(Tap tap) const {
  return mirrored_ || stage_of(tap) == Stage::append || tap == Tap::cache_late;
}

TapView TapCollector::local_view(std::size_t rank, Tap tap) const {
  if (tap == Tap::cache_spare) return pair_view(spare_[rank]);
  if (tap == Tap::cache_late) return pair_view(late_[rank]);
  if (tap != Tap::cache_rows) return ranks_[rank]->view(tap);
  PagedCache& cache = ranks_[rank]->cache();
  const hxc_tensor pool = cache.view();
  const std::int64_t rows = static_cast<std::int64_t>(rows_[rank].size) / cache.row_bytes();
  return TapView{
      true, false, static_cast<Dtype>(pool.dtype), {rows, pool.shape[2]}, rows_[rank].data.get()};
}

const std::vector<TapView>& TapCollector::gather(Tap tap) {
  Kept& kept = kept_[static_cast<std::size_t>(tap)];
  kept.views.clear();
  const bool all_here = ranks_.size() == static_cast<std::size_t>(world_.size());
  if (all_here && stays(tap)) {
    for (std::size_t i = 0; i < ranks_.size(); ++i) kept.views.push_back(local_view(i, tap));
    return kept.views;
  }
  std::vector<Bytes> send;
  for (std::size_t i = 0; i < ranks_.size(); ++i) send.push_back(bytes_of(local_view(i, tap)));
  const std::vector<Bytes> received = all_here ? send : world_.gather_to_root(send);
  std::size_t total = 0;
  for (const Bytes& bytes : received) total += bytes.size();
  kept.bytes.resize(total);
  std::byte* out = kept.bytes.data();
  for (const Bytes& bytes : received) {
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    TapView view = local_view(0, tap);
    std::int64_t row = item_bytes(view);  // bytes of one entry of the first axis
    for (std::size_t axis = 1; axis < view.shape.size(); ++axis) row *= view.shape[axis];
    if (row > 0) view.shape[0] = static_cast<std::int64_t>(bytes.size()) / row;
    view.data = out;
    kept.views.push_back(std::move(view));
    out += bytes.size();
  }
  return kept.views;
}

void TapCollector::take(Tap tap) {
  if (local_view(0, tap).present) gather(tap);
}

void TapCollector::finish(StepTaps& taps) const {
  taps.ranks.resize(static_cast<std::size_t>(world_.size()));
  for (std::size_t tap = 0; tap < kept_.size(); ++tap) {
    const std::vector<TapView>& views = kept_[tap].views;
    for (std::size_t rank = 0; rank < views.size(); ++rank) taps.ranks[rank][tap] = views[rank];
  }
}

void TapCollector::take_prompt(PromptTaps& taps) {
  for (const Tap tap : {Tap::kv_c, Tap::latent}) {
    const std::vector<TapView>& views = gather(tap);
    for (std::size_t rank = 0; rank < views.size(); ++rank) {
      (tap == Tap::kv_c ? taps.ranks[rank].kv_c : taps.ranks[rank].latent) = views[rank];
    }
  }
}

}  // namespace helixcheck
