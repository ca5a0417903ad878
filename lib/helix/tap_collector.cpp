// Ranks of this process are shown in place; bytes of other processes are copied once.

#include "helix/tap_collector.hpp"

#include <cstring>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

std::int64_t item_bytes(const TapView& view) {
  return view.integers ? 8 : static_cast<std::int64_t>(size_of(view.dtype));
}

std::size_t byte_count(const TapView& view) {
  return static_cast<std::size_t>(view.elements() * item_bytes(view));
}

}  // namespace

void TapCollector::read_cache(Ranks ranks, std::span<const StepRequest> requests) {
  rows_.resize(ranks.size());
  spare_.resize(ranks.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    PagedCache& cache = ranks[i]->cache();
    std::int64_t rows = 0;
    for (const StepRequest& request : requests) rows += cache.length(request.id);
    rows_[i].resize(static_cast<std::size_t>(rows * cache.row_bytes()));
    std::byte* out = rows_[i].data();
    for (const StepRequest& request : requests) out = cache.read(request.id, out);
    const PagedCache::Spare spare = cache.check_spare();
    spare_[i] = {spare.changed, spare.first};
  }
}

std::vector<TapView> TapCollector::gather(std::span<const TapView> local, std::size_t keep) {
  if (local.size() == static_cast<std::size_t>(world_.size())) {
    return {local.begin(), local.end()};
  }
  std::vector<Bytes> send;
  for (const TapView& view : local) send.push_back(Bytes(view.data, byte_count(view)));
  const std::vector<Bytes> received = world_.gather_to_root(send);
  std::size_t total = 0;
  for (const Bytes& bytes : received) total += bytes.size();
  std::vector<std::byte>& storage = kept_[keep];
  storage.resize(total);
  std::vector<TapView> views;
  std::byte* out = storage.data();
  for (const Bytes& bytes : received) {
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    TapView view = local.front();
    std::int64_t row = item_bytes(view);  // bytes of one entry of the first axis
    for (std::size_t axis = 1; axis < view.shape.size(); ++axis) row *= view.shape[axis];
    if (row > 0) view.shape[0] = static_cast<std::int64_t>(bytes.size()) / row;
    view.data = out;
    views.push_back(view);
    out += bytes.size();
  }
  return views;
}

void TapCollector::step(Ranks ranks, const std::vector<Tap>& shown, StepTaps& taps) {
  taps.ranks.resize(static_cast<std::size_t>(world_.size()));
  std::vector<TapView> local(ranks.size());
  for (const Tap tap : shown) {
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (tap == Tap::cache_rows) {
        const hxc_tensor cache = ranks[i]->cache().view();
        const std::int64_t width = cache.shape[2];
        const auto rows =
            static_cast<std::int64_t>(rows_[i].size()) / ranks[i]->cache().row_bytes();
        local[i] =
            TapView{true, false, static_cast<Dtype>(cache.dtype), {rows, width}, rows_[i].data()};
      } else if (tap == Tap::cache_spare) {
        local[i] = TapView{
            true, true, Dtype::fp32, {2}, reinterpret_cast<const std::byte*>(spare_[i].data())};
      } else {
        local[i] = ranks[i]->view(tap);
      }
    }
    if (!local.front().present) continue;
    const std::vector<TapView> views = gather(local, static_cast<std::size_t>(tap));
    for (std::size_t rank = 0; rank < views.size(); ++rank) {
      taps.ranks[rank][static_cast<std::size_t>(tap)] = views[rank];
    }
  }
}

void TapCollector::prompt(Ranks ranks, PromptTaps& taps) {
  std::vector<TapView> local(ranks.size());
  for (const Tap tap : {Tap::kv_c, Tap::latent}) {
    for (std::size_t i = 0; i < ranks.size(); ++i) local[i] = ranks[i]->view(tap);
    const std::vector<TapView> views = gather(local, static_cast<std::size_t>(tap));
    for (std::size_t rank = 0; rank < views.size(); ++rank) {
      (tap == Tap::kv_c ? taps.ranks[rank].kv_c : taps.ranks[rank].latent) = views[rank];
    }
  }
}

}  // namespace helixcheck
