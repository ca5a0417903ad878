// Where bytes lie and who holds them.

#include <algorithm>
#include <fmt/format.h>

#include "property/variations.hpp"
#include "scenario/names.hpp"

namespace helixcheck::variations {
namespace {

bool has_ranks(const Scenario& scenario) {
  return scenario.problem.entry != Entry::merge;
}

// The largest divisor of n in 2 .. 8 other than `taken`; 0 if there is none.
std::int64_t other_divisor(std::int64_t n, std::int64_t taken) {
  for (std::int64_t d = 8; d > 1; --d) {
    if (n % d == 0 && d != taken) return d;
  }
  return 0;
}

void add(Runs& runs, std::string change, const Scenario& scenario) {
  runs.push_back({std::move(change), scenario});
}

// A relation with nothing to vary says nothing.
Runs or_nothing(Runs runs) {
  if (runs.size() < 2) runs.clear();
  return runs;
}

}  // namespace

Runs ranks(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  const std::int64_t kvp = varied.layout.kvp;
  const std::int64_t other = other_divisor(varied.problem.num_heads / varied.layout.tpa, kvp);
  for (const std::int64_t count : {std::int64_t{1}, other}) {
    if (count == 0 || count == kvp) continue;
    varied.layout.kvp = count;
    add(runs, fmt::format("kvp {} instead of {}", count, kvp), varied);
  }
  return or_nothing(runs);
}

Runs tpa(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  const std::int64_t width = varied.layout.tpa;
  varied.layout.tpa =
      width > 1 ? 1 : other_divisor(varied.problem.num_heads / varied.layout.kvp, 1);
  if (varied.layout.tpa == 0) return {};
  add(runs, fmt::format("tpa {} instead of {}", varied.layout.tpa, width), varied);
  return runs;
}

Runs ownership(const Scenario& scenario) {
  if (!has_ranks(scenario) || scenario.layout.kvp == 1) return {};
  Runs runs = unchanged(scenario);
  const auto vary = [&](Ownership ownership, DecodeOwner decode, std::int64_t interleave) {
    Scenario varied = runs[0].scenario;
    varied.layout.ownership = ownership;
    varied.layout.decode_owner = decode;
    varied.layout.interleave = interleave;
    if (varied.layout == runs[0].scenario.layout) return;
    add(runs,
        fmt::format("ownership {}, decode_owner {}, interleave {}", name_of(ownership),
                    name_of(decode), interleave),
        varied);
  };
  vary(Ownership::interleaved, DecodeOwner::continued, 1);
  vary(Ownership::contiguous, DecodeOwner::last, 1);
  return or_nothing(runs);
}

Runs page_size(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  const std::int64_t page = varied.layout.kv_cache_tokens_per_block;
  for (const std::int64_t other : {std::int64_t{1}, std::int64_t{7}}) {
    if (other == page) continue;
    varied.layout.kv_cache_tokens_per_block = other;
    add(runs, fmt::format("kv_cache_tokens_per_block {} instead of {}", other, page), varied);
  }
  return runs;
}

Runs page_order(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  for (const PageOrder order : {PageOrder::ascending, PageOrder::descending, PageOrder::shuffled}) {
    Scenario varied = runs[0].scenario;
    if (order == varied.layout.page_order) continue;
    varied.layout.page_order = order;
    add(runs, fmt::format("page_order {}", name_of(order)), varied);
  }
  return runs;
}

Runs cache_layout(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  Layout& layout = varied.layout;
  layout.row_gap = layout.row_gap == 0 ? 3 : 0;
  layout.page_gap = layout.page_gap == 0 ? 11 : 0;
  layout.spare_pages = layout.spare_pages == 0 ? 2 : 0;
  layout.page_id_base = layout.page_id_base == 0 ? 17 : 0;
  add(runs,
      fmt::format("row_gap {}, page_gap {}, spare_pages {}, page_id_base {}", layout.row_gap,
                  layout.page_gap, layout.spare_pages, layout.page_id_base),
      varied);
  return runs;
}

Runs padding_rows(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  const std::int64_t rows = varied.layout.padding_rows;
  varied.layout.padding_rows = rows == 0 ? 3 : 0;
  add(runs, fmt::format("padding_rows {} instead of {}", varied.layout.padding_rows, rows), varied);
  return runs;
}

Runs poison(const Scenario& scenario) {
  if (!has_ranks(scenario)) return {};
  Runs runs = unchanged(scenario);
  for (const Poison poison : {Poison::nan, Poison::inf, Poison::huge, Poison::zero}) {
    Scenario varied = runs[0].scenario;
    if (poison == varied.layout.poison) continue;
    varied.layout.poison = poison;
    add(runs, fmt::format("poison {}", name_of(poison)), varied);
  }
  return runs;
}

Runs lse_form(const Scenario& scenario) {
  Runs runs = unchanged(scenario);
  for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
    Scenario varied = runs[0].scenario;
    if (form == varied.layout.lse_form) continue;
    varied.layout.lse_form = form;
    add(runs, fmt::format("lse_form {}", name_of(form)), varied);
  }
  return runs;
}

}  // namespace helixcheck::variations
