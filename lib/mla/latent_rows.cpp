// A request's rows are kept with the tokens they belong to, so that what changed (new tokens,
// tokens replaced after a rejection) is found by comparing token lists, not by following the
// script.

#include "mla/latent_rows.hpp"

#include <algorithm>
#include <utility>

namespace helixcheck {
namespace {

// How many tokens two lists have in common from index 0 on. Runs are maximal, so equal lists have
// equal runs.
std::int64_t common_prefix(const TokenList& a, const TokenList& b) {
  std::int64_t common = 0;
  for (std::size_t i = 0; i < std::min(a.runs().size(), b.runs().size()); ++i) {
    const TokenRun& run = a.runs()[i];
    const TokenRun& other = b.runs()[i];
    if (run.first != other.first) break;
    common += std::min(run.count, other.count);
    if (run.count != other.count) break;
  }
  return common;
}

}  // namespace

LatentRows::LatentRows(std::int64_t width, std::int64_t chunk, Make make)
    : width_(width), chunk_(chunk), make_(std::move(make)) {}

const double* LatentRows::rows_of(const RequestState& request) {
  auto found = entries_.find(request.id);
  if (found == entries_.end()) {
    found = entries_.emplace(request.id, longest_prefix(request)).first;
  }
  auto& [tokens, rows] = found->second;
  const std::int64_t known = common_prefix(tokens, request.tokens);
  const auto size = static_cast<std::size_t>(request.tokens.size() * width_);
  if (rows.capacity() < size) rows.reserve(size + size / 16);  // doubling would waste gigabytes
  rows.resize(size);
  for (const TokenRun& run : request.tokens.runs()) {
    const std::int64_t end = run.index + run.count;
    for (std::int64_t index = std::max(run.index, known); index < end;) {
      const bool prompt = index < request.prompt_len;
      const std::int64_t stop = prompt ? std::min(end, request.prompt_len) : end;
      const std::int64_t count = std::min(chunk_, stop - index);
      const Token first{run.first.request, run.first.draw + index - run.index};
      make_({first, index, count, prompt},
            std::span(rows).subspan(static_cast<std::size_t>(index * width_),
                                    static_cast<std::size_t>(count * width_)));
      index += count;
    }
  }
  tokens = request.tokens;
  return rows.data();
}

LatentRows::Entry LatentRows::longest_prefix(const RequestState& request) const {
  const Entry* best = nullptr;
  std::int64_t longest = 0;
  for (const auto& [id, entry] : entries_) {
    const std::int64_t common = common_prefix(entry.tokens, request.tokens);
    if (common > longest) {
      longest = common;
      best = &entry;
    }
  }
  return best == nullptr ? Entry{} : *best;
}

void LatentRows::forget_finished(const History& history) {
  std::erase_if(entries_, [&](const auto& entry) { return !history.live(entry.first); });
}

}  // namespace helixcheck
