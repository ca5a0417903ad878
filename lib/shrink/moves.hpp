// The published list of moves, as one table: what a locally minimal scenario has withstood.

#pragma once

#include <span>
#include <string_view>

#include "shrink/search.hpp"

namespace helixcheck {

struct Move {
  std::string_view name;
  std::string_view what;  // one line
  // Dear moves cost hundreds of candidates; after a success the cheap ones get another go first.
  bool dear = false;
  bool (*apply)(Search&) = nullptr;  // true: the current scenario has become simpler
};

// In the order in which they are tried.
std::span<const Move> moves();

// The moves by concern; each is described in the table.
bool lower_entry(Search& search);  // moves_list.cpp
bool drop_requests(Search& search);
bool switch_features_off(Search& search);
bool drop_heavy_keys(Search& search);
bool equalise_lengths(Search& search);
bool use_default_script(Search& search);  // moves_script.cpp
bool drop_script_steps(Search& search);
bool drop_script_uses(Search& search);
bool replace_forks(Search& search);
bool merge_script_steps(Search& search);
bool reorder_script_steps(Search& search);
bool lower_request_ids(Search& search);
bool shorten_script_with_numbers(Search& search);
bool bisect_each_field(Search& search);  // moves_number.cpp
bool try_structural_constants(Search& search);
bool keep_residues(Search& search);
bool shrink_layout_with_lengths(Search& search);
bool shrink_pages_far_out(Search& search);
bool discover_periods(Search& search);
bool simplify_seed(Search& search);
bool lower_with_other_seeds(Search& search);
bool try_every_smaller_value(Search& search);
bool lower_pairs(Search& search);  // moves_pair.cpp
bool trade_numbers(Search& search);
bool trade_choices(Search& search);
bool trade_choices_for_numbers(Search& search);
bool trade_requests(Search& search);

}  // namespace helixcheck
