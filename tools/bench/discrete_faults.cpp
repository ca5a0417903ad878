// Faults that strike where several conditions meet, as a special path of a kernel or a scheduler
// does.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "fault_site.hpp"
#include "mla/formats.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

// The requests of a step with rows: calls `each(request index, first row, rows)`.
template <typename Each>
void for_requests(const hxc_step& step, Each each) {
  std::int64_t row = 0;
  for (std::int64_t r = 0; r < step.request_count; ++r) {
    const std::int64_t rows = step.requests[r].query_tokens;
    if (rows > 0) each(r, row, rows);
    row += rows;
  }
}

std::int64_t visible(const FaultSite& site, std::int64_t row) {
  return int_at(site.step.visible, row);
}

void hide_newest_key(FaultSite& site, std::int64_t row) {
  if (visible(site, row) > 0 && site.strikes()) --visible_at(site, row);
}

// A shard of 256 k + 1 keys is split in parts of 256, of which the last holds one key.
void split_tail(FaultSite& site) {
  const hxc_rank& place = *site.step.place;
  if (place.heads != 1) return;
  for (std::int64_t row = 0; row < site.step.rows; ++row) {
    const std::int64_t keys = visible(site, row);
    if (keys > 256 && keys % 256 <= site.threshold) hide_newest_key(site, row);
  }
}

// Several new tokens that begin on one page of this rank and end on the next.
void straddling_drafts(FaultSite& site) {
  const hxc_rank& place = *site.step.place;
  const std::int64_t page = place.tokens_per_block;
  if (place.ownership != HXC_INTERLEAVED || place.decode_owner != HXC_OWNER_RESTARTED ||
      place.kvp < 4 || page < 4) {
    return;
  }
  for_requests(site.step, [&](std::int64_t, std::int64_t first, std::int64_t rows) {
    const std::int64_t before = visible(site, first), after = visible(site, first + rows - 1);
    if (rows < static_cast<std::int64_t>(site.threshold) || before == 0) return;
    if ((before - 1) / page < (after - 1) / page) hide_newest_key(site, first + rows - 1);
  });
}

// (step - 1) / page before the first step, rounded to zero: the owner of the first token does not
// write it where the prompt filled whole rounds of pages.
void first_token_unwritten(FaultSite& site) {
  const hxc_rank& place = *site.step.place;
  const std::int64_t round = place.tokens_per_block * place.kvp;
  if (place.decode_owner != HXC_OWNER_RESTARTED || place.ownership != HXC_CONTIGUOUS_BLOCKS ||
      place.kvp < 3 || place.tokens_per_block < 2) {
    return;
  }
  for_requests(site.step, [&](std::int64_t r, std::int64_t first, std::int64_t rows) {
    const hxc_request& request = site.step.requests[r];
    const bool whole = request.prompt_len > 0 && request.prompt_len % round == 0;
    if (!whole || request.cached != request.prompt_len || rows < 2 || r == 0) return;
    std::int64_t& slot = int_at(site.step.slot, first);
    if (slot >= 0 && site.strikes()) slot = -1;
  });
}

// A request without keys on this rank leaves its row at the offset that it would have if all
// requests had as many rows as the largest, and marks another request's row as empty.
void neighbour_of_empty(FaultSite& site) {
  const hxc_step& step = site.step;
  if (step.place->lse_form != HXC_LSE_MAX_SUM || step.place->heads < 2 || step.place->kvp < 3) {
    return;
  }
  std::int64_t most = 0;
  for_requests(step, [&](std::int64_t, std::int64_t, std::int64_t n) { most = std::max(most, n); });
  for_requests(step, [&](std::int64_t r, std::int64_t first, std::int64_t) {
    const std::int64_t padded = r * most;
    if (visible(site, first) != 0 || padded == first || padded >= step.rows) return;
    if (visible(site, padded) > 0 && site.strikes()) {
      float_at(step.lse, padded, step.place->heads - 1, 1) = 0;
    }
  });
}

// Statistics of several new tokens are read [heads, rows] where they are [rows, heads]. Other
// shapes than square ones would be refused.
void square_statistics(FaultSite& site) {
  const hxc_step& step = site.step;
  const std::int64_t n = step.rows;
  bool several = false;
  for_requests(step, [&](std::int64_t, std::int64_t, std::int64_t rows) { several |= rows > 1; });
  if (!several || n != step.place->owned_heads || n < 4 || step.place->kvp < 3 ||
      step.place->tpa < 2) {
    return;
  }
  if (!site.strikes()) return;
  for (std::int64_t part = 0; part < step.place->kvp; ++part) {
    for (std::int64_t row = 0; row < n; ++row) {
      for (std::int64_t head = 0; head < row; ++head) {
        std::swap(float_at(step.exchanged_lse, part, row, head),
                  float_at(step.exchanged_lse, part, head, row));
      }
    }
  }
}

// After several tokens were taken back, the next row is planned with the lengths of before, cut to
// the pages that there are: on ranks whose share ended on another page then.
void stale_after_reject(FaultSite& site) {
  const hxc_rank& place = *site.step.place;
  const std::vector<hxc_request>& last = site.memory.requests;
  if (place.kvp < 4 || place.tokens_per_block < 2) return;
  for_requests(site.step, [&](std::int64_t r, std::int64_t first, std::int64_t rows) {
    if (r >= static_cast<std::int64_t>(last.size())) return;
    const hxc_request& was = last[static_cast<std::size_t>(r)];
    const hxc_request& now = site.step.requests[r];
    const std::int64_t back = was.cached + was.query_tokens - now.cached;
    if (was.prompt_len != now.prompt_len || back < static_cast<std::int64_t>(site.threshold)) {
      return;
    }
    if (rows == 1 && was.cached % place.tokens_per_block == 0) hide_newest_key(site, first);
  });
}

// Runs of tokens that are longer than a page and no multiple of it: the last rank counts a whole
// run more than it has, and is cut by one key too many.
void run_beside_page(FaultSite& site) {
  const hxc_rank& place = *site.step.place;
  const std::int64_t run = place.interleave, page = place.tokens_per_block;
  if (place.ownership != HXC_INTERLEAVED || run <= page || run % page == 0) return;
  if (place.kvp_rank != place.kvp - 1 || place.kvp < static_cast<std::int64_t>(site.threshold)) {
    return;
  }
  for (std::int64_t row = 0; row < site.step.rows; ++row) {
    const std::int64_t keys = visible(site, row);
    if (keys > run && keys % run == 0) hide_newest_key(site, row);
  }
}

// Pages are taken to lie one behind the other: the last one is looked for behind the first.
void scattered_pages(FaultSite& site) {
  const hxc_step& step = site.step;
  const hxc_rank& place = *step.place;
  const std::int64_t page = place.tokens_per_block;
  if (step.model->kv_dtype != HXC_FP8_E4M3 || page < 16 || place.tpa < 2) return;
  for_requests(step, [&](std::int64_t r, std::int64_t first, std::int64_t rows) {
    const std::int64_t keys = visible(site, first + rows - 1);
    const std::int64_t last = (keys - 1) / page;
    if (keys < 1 || last < 3 || keys % page != 1) return;
    const std::int64_t id = int_at(step.block_table, r, last);
    const std::int64_t other = int_at(step.block_table, r, last - 1);
    if (id < other && site.strikes()) page_at(site, r, last) = other;
  });
}

// cos and sin come from a table of 2^20 positions, whose last entry serves for all behind it.
void table_end(FaultSite& site) {
  const hxc_step& step = site.step;
  const hxc_model& model = *step.model;
  constexpr std::int64_t kEnd = 1 << 20;
  if (model.rope_interleave || step.is_prompt || step.place->kvp < 5) return;
  for (std::int64_t row = 0; row < step.rows; ++row) {
    if (int_at(step.position, row) < kEnd || !site.strikes()) continue;
    for (std::int64_t j = 0; j < model.qk_rope_head_dim / 2; ++j) {
      const std::int64_t a = model.kv_lora_rank + j, b = a + model.qk_rope_head_dim / 2;
      const Dtype in = dtype_of(step.kv_c), out = dtype_of(step.latent);
      const double x = decode(in, load_code(in, at(step.kv_c, row, a), 0));
      const double y = decode(in, load_code(in, at(step.kv_c, row, b), 0));
      const double angle = static_cast<double>(kEnd - 1) * model.inv_freq[j];
      const double c = std::cos(angle) * model.cos_scale, s = std::sin(angle) * model.cos_scale;
      store_code(out, at(step.latent, row, a), 0, encode(out, x * c - y * s));
      store_code(out, at(step.latent, row, b), 0, encode(out, x * s + y * c));
    }
  }
}

}  // namespace

const FaultRule kDiscreteFaults[] = {
    {"split_tail", "the last part of a split shard is left out if it is one key", HXC_ATTEND,
     split_tail, nullptr, 1, false},
    {"straddling_drafts", "draft tokens that straddle a page lose the newest key", HXC_ATTEND,
     straddling_drafts, nullptr, 5, false},
    {"first_token_unwritten", "the first token after a prompt of whole page rounds is not written",
     HXC_PLAN, nullptr, first_token_unwritten, 0, false},
    {"neighbour_of_empty", "an empty request marks another one's row as empty", HXC_ATTEND, nullptr,
     neighbour_of_empty, 0, false},
    {"square_statistics", "statistics of draft tokens are transposed where that fits", HXC_EXCHANGE,
     nullptr, square_statistics, 0, false},
    {"stale_after_reject", "lengths from before tokens were rejected", HXC_ATTEND,
     stale_after_reject, nullptr, 4, false},
    {"run_beside_page", "a run of tokens that is no multiple of the page is counted wrong",
     HXC_ATTEND, run_beside_page, nullptr, 5, false},
    {"scattered_pages", "the last page is taken to lie behind the one before", HXC_ATTEND,
     scattered_pages, nullptr, 0, false},
    {"table_end", "positions behind the end of the rotary table", HXC_PROJECT, nullptr, table_end,
     0, false},
};
const std::size_t kDiscreteFaultCount = std::size(kDiscreteFaults);

}  // namespace helixcheck
