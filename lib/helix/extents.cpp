// Replays the script without any values.

#include "helix/extents.hpp"

#include <algorithm>
#include <numeric>

#include "scenario/history.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {

Extents find_extents(const Scenario& scenario, const std::vector<Step>& script,
                     std::int64_t prompt_chunk) {
  const Layout& layout = scenario.layout;
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  Extents extents;
  extents.pages.assign(static_cast<std::size_t>(layout.kvp), 0);
  History history(scenario);
  std::vector<std::int64_t> live_pages;
  for (const Step& step : script) {
    history.apply(step);
    if (step.kind == StepKind::decode) {
      const std::int64_t rows =
          std::accumulate(step.tokens.begin(), step.tokens.end(), layout.padding_rows);
      extents.rows = std::max(extents.rows, rows);
      extents.requests = std::max(extents.requests, std::ssize(step.requests));
    }
    live_pages.assign(extents.pages.size(), 0);
    for (std::int64_t id = 0; id < history.requests_ever(); ++id) {
      if (!history.live(id)) continue;
      const RequestState& request = history.request(id);
      for (std::int64_t rank = 0; rank < layout.kvp; ++rank) {
        const std::int64_t local =
            owned_count(layout, rank, request.tokens.size(), request.prompt_len);
        const std::int64_t pages = (local + page - 1) / page;
        extents.local_len = std::max(extents.local_len, local);
        extents.pages_per_request = std::max(extents.pages_per_request, pages);
        live_pages[static_cast<std::size_t>(rank)] += pages;
      }
    }
    for (std::size_t rank = 0; rank < live_pages.size(); ++rank) {
      extents.pages[rank] = std::max(extents.pages[rank], live_pages[rank]);
    }
  }
  extents.prompt_rows = std::min(extents.local_len, prompt_chunk);
  return extents;
}

}  // namespace helixcheck
