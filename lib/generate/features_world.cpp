// Features of the world and the layout: ranks, ownership, pages, memory.

#include <algorithm>
#include <array>

#include "generate/feature_groups.hpp"

namespace helixcheck::feature_groups {
namespace {

constexpr std::array kEntry{
    Level{"core", 6, [](Draft& d) { d.scenario.problem.entry = Entry::core; }},
    Level{"layer", 6, [](Draft& d) { d.scenario.problem.entry = Entry::layer; }},
    Level{"merge", 1, [](Draft& d) { d.scenario.problem.entry = Entry::merge; }},
};

constexpr std::array kKvp{
    Level{"2", 6, [](Draft& d) { d.scenario.layout.kvp = 2; }},
    Level{"1", 1, [](Draft& d) { d.scenario.layout.kvp = 1; }},
    Level{"3", 4, [](Draft& d) { d.scenario.layout.kvp = 3; }},
    Level{"4", 2, [](Draft& d) { d.scenario.layout.kvp = 4; }},
    Level{"5 to 7", 1, [](Draft& d) { d.scenario.layout.kvp = d.choices.between(5, 7); }},
    Level{"8", 1, [](Draft& d) { d.scenario.layout.kvp = 8; }},
    Level{"9 to 16", 1,
          [](Draft& d) {  // a merge knows no ranks, only partials
            const bool merge = d.scenario.problem.entry == Entry::merge;
            d.scenario.layout.kvp = d.choices.between(9, merge ? 64 : 16);
          }},
};

constexpr std::array kTpa{
    Level{"1", 6, [](Draft&) {}},
    Level{"2", 2, [](Draft& d) { d.scenario.layout.tpa = 2; }},
    Level{"3 or 4", 1, [](Draft& d) { d.scenario.layout.tpa = d.choices.between(3, 4); }},
};

// Kernels have instances for round numbers of heads: those come up more often than others.
void set_heads(Draft& d, std::int64_t low, std::int64_t high) {
  const bool merge = d.scenario.problem.entry == Entry::merge;
  const std::int64_t ranks = merge ? 1 : d.scenario.layout.ranks();
  const std::int64_t most = std::max(low, std::min(high, 96 / ranks));
  const bool round = most >= 8 && d.choices.one_in(3);
  d.scenario.problem.num_heads =
      ranks * (round ? 8 * d.choices.between(1, most / 8) : d.choices.between(low, most));
}

constexpr std::array kHeads{
    Level{"1 a rank", 6, [](Draft& d) { set_heads(d, 1, 1); }},
    Level{"2 a rank", 3, [](Draft& d) { set_heads(d, 2, 2); }},
    Level{"3 or 4 a rank", 2, [](Draft& d) { set_heads(d, 3, 4); }},
    Level{"5 or more a rank", 1, [](Draft& d) { set_heads(d, 5, 16); }},
};

constexpr std::array kOwnership{
    Level{"interleaved", 3, [](Draft& d) { d.scenario.layout.ownership = Ownership::interleaved; }},
    Level{"contiguous", 2, [](Draft& d) { d.scenario.layout.ownership = Ownership::contiguous; }},
    Level{"contiguous_blocks", 2,
          [](Draft& d) { d.scenario.layout.ownership = Ownership::contiguous_blocks; }},
};

constexpr std::array kDecodeOwner{
    Level{"last", 2, [](Draft& d) { d.scenario.layout.decode_owner = DecodeOwner::last; }},
    Level{"continued", 3,
          [](Draft& d) { d.scenario.layout.decode_owner = DecodeOwner::continued; }},
    Level{"restarted", 2,
          [](Draft& d) { d.scenario.layout.decode_owner = DecodeOwner::restarted; }},
};

void set_page(Draft& d, std::int64_t tokens) {
  d.scenario.layout.kv_cache_tokens_per_block = tokens;
}

constexpr std::array kPage{
    Level{"4 or 8", 3,
          [](Draft& d) {
            set_page(d, d.choices.of<std::int64_t>({4, 8}));
          }},
    Level{"1", 2, [](Draft& d) { set_page(d, 1); }},
    Level{"2", 2, [](Draft& d) { set_page(d, 2); }},
    Level{"odd", 2, [](Draft& d) { set_page(d, 3 + 2 * d.choices.between(0, 4)); }},
    Level{"16 or 32", 2,
          [](Draft& d) {
            set_page(d, d.choices.of<std::int64_t>({16, 32}));
          }},
    Level{"64 or 128", 1,
          [](Draft& d) {
            set_page(d, d.choices.of<std::int64_t>({64, 128}));
          }},
};

std::int64_t page_of(const Draft& d) {
  return d.scenario.layout.kv_cache_tokens_per_block;
}

constexpr std::array kInterleave{
    Level{"1", 3, [](Draft&) {}},
    Level{"2", 2, [](Draft& d) { d.scenario.layout.interleave = 2; }},
    Level{
        "half a page", 1,
        [](Draft& d) { d.scenario.layout.interleave = std::max<std::int64_t>(1, page_of(d) / 2); }},
    Level{"a page", 2, [](Draft& d) { d.scenario.layout.interleave = page_of(d); }},
    Level{"two pages", 1, [](Draft& d) { d.scenario.layout.interleave = 2 * page_of(d); }},
    Level{"other", 1, [](Draft& d) { d.scenario.layout.interleave = d.choices.between(3, 17); }},
};

constexpr std::array kPageOrder{
    Level{"ascending", 1, [](Draft& d) { d.scenario.layout.page_order = PageOrder::ascending; }},
    Level{"descending", 1, [](Draft& d) { d.scenario.layout.page_order = PageOrder::descending; }},
    Level{"shuffled", 2, [](Draft& d) { d.scenario.layout.page_order = PageOrder::shuffled; }},
};

constexpr std::array kSparePages{
    Level{"1", 2, [](Draft&) {}},
    Level{"0", 1, [](Draft& d) { d.scenario.layout.spare_pages = 0; }},
    Level{"2 to 5", 1, [](Draft& d) { d.scenario.layout.spare_pages = d.choices.between(2, 5); }},
};

// The smallest id whose page starts at or behind element 2^31 or 2^32 of the pool: where offsets
// of 32 bits, signed and unsigned, go wrong.
std::int64_t far_page(Draft& d) {
  const std::int64_t stride = page_elements(d.scenario);
  const std::int64_t element = std::int64_t{1} << d.choices.between(31, 32);
  return (element + stride - 1) / stride;
}

constexpr std::array kPageIds{
    Level{"from 0", 8, [](Draft&) {}},
    Level{"from 1 to 5000", 3,
          [](Draft& d) { d.scenario.layout.page_id_base = d.choices.log_between(1, 5000); }},
    Level{"beyond 2^31 or 2^32 elements", 1,
          [](Draft& d) { d.scenario.layout.page_id_base = far_page(d) + d.choices.between(0, 3); }},
};

constexpr std::array kGaps{
    Level{"none", 3, [](Draft&) {}},
    Level{"rows", 1, [](Draft& d) { d.scenario.layout.row_gap = d.choices.between(1, 9); }},
    Level{"pages", 1, [](Draft& d) { d.scenario.layout.page_gap = d.choices.between(1, 33); }},
    Level{"rows and pages", 1,
          [](Draft& d) {
            d.scenario.layout.row_gap = d.choices.between(1, 9);
            d.scenario.layout.page_gap = d.choices.between(1, 33);
          }},
};

constexpr std::array kPaddingRows{
    Level{"0", 3, [](Draft&) {}},
    Level{"1", 1, [](Draft& d) { d.scenario.layout.padding_rows = 1; }},
    Level{"2 to 8", 1, [](Draft& d) { d.scenario.layout.padding_rows = d.choices.between(2, 8); }},
};

constexpr std::array kPoison{
    Level{"nan", 2, [](Draft&) {}},
    Level{"inf", 1, [](Draft& d) { d.scenario.layout.poison = Poison::inf; }},
    Level{"huge", 1, [](Draft& d) { d.scenario.layout.poison = Poison::huge; }},
    Level{"zero", 1, [](Draft& d) { d.scenario.layout.poison = Poison::zero; }},
};

constexpr std::array kLseForm{
    Level{"ln", 2, [](Draft&) {}},
    Level{"log2", 1, [](Draft& d) { d.scenario.layout.lse_form = LseForm::log2; }},
    Level{"max_sum", 1, [](Draft& d) { d.scenario.layout.lse_form = LseForm::max_sum; }},
};

// A run without taps is judged by an ensemble of references: dear, so rare.
constexpr std::array kObserve{
    Level{"all", 120, [](Draft&) {}},
    Level{"end", 1, [](Draft& d) { d.scenario.run.observe = Observe::end; }},
};

constexpr std::array kInstance{
    Level{"kept", 4, [](Draft&) {}},
    Level{"renewed", 1, [](Draft& d) { d.scenario.run.instance = InstanceLife::renewed; }},
};

constexpr std::array kWorld{
    Feature{"entry", true, true, true, kEntry},
    Feature{"kvp", true, true, true, kKvp},
    Feature{"tpa", false, true, true, kTpa},
    Feature{"heads", true, true, true, kHeads},
};

constexpr std::array kLayout{
    Feature{"ownership", false, true, true, kOwnership},
    Feature{"decode_owner", false, true, true, kDecodeOwner},
    Feature{"page", false, true, true, kPage},
    Feature{"interleave", false, true, true, kInterleave},
    Feature{"page_order", false, true, true, kPageOrder},
    Feature{"spare_pages", false, true, true, kSparePages},
    Feature{"gaps", false, true, true, kGaps},
    Feature{"page_ids", false, true, true, kPageIds},
    Feature{"padding_rows", false, true, true, kPaddingRows},
    Feature{"poison", false, true, true, kPoison},
    Feature{"lse_form", true, true, true, kLseForm},
    Feature{"observe", false, true, true, kObserve},
    Feature{"instance", false, true, true, kInstance},
};

}  // namespace

std::span<const Feature> world() {
  return kWorld;
}

std::span<const Feature> layout() {
  return kLayout;
}

}  // namespace helixcheck::feature_groups
