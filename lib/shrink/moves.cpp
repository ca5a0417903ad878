#include "shrink/moves.hpp"

#include <array>

namespace helixcheck {

std::span<const Move> moves() {
  static constexpr std::array kMoves{
      Move{"entry",
           "enter at merge, also with a request for each row, then at core, without what has no "
           "place",
           false, lower_entry},
      Move{"default script", "join all and decode 1, 2, 3 or as many times as the script does",
           false, use_default_script},
      Move{"fewer requests", "keep the first few; drop runs of requests, down to single ones",
           false, drop_requests},
      Move{"features off", "fields to their simplest values, in halving runs of neighbours", false,
           switch_features_off},
      Move{"heavy keys", "drop all, then each", false, drop_heavy_keys},
      Move{"script steps", "drop runs of steps, down to single ones", false, drop_script_steps},
      Move{"script uses", "drop one request from all steps, or from one", false, drop_script_uses},
      Move{"forks", "a fork or a request goes; its parent or another request does its part", false,
           replace_forks},
      Move{"merge steps", "join all at the start; two neighbouring steps as one; clear lists",
           false, merge_script_steps},
      Move{"reorder steps", "a step moved up, towards the order join, decode, reject, finish, fork",
           false, reorder_script_steps},
      Move{"request ids", "a step of another request with a smaller id", false, lower_request_ids},
      Move{"bisect", "each field to its simplest value, then half way, and so on", false,
           bisect_each_field},
      Move{"equal lengths", "all prompts as long as one of them, and lowered together", false,
           equalise_lengths},
      Move{"structural constants",
           "1 to 4, ranks, page, run and their products, each -1, +0 and +1", false,
           try_structural_constants},
      Move{"residues", "q x u + r with a smaller q; u = page, ranks, run, tiles, their products",
           false, keep_residues},
      Move{"layout with lengths",
           "fewer ranks or smaller pages or runs, prompts rescaled with their remainders", false,
           shrink_layout_with_lengths},
      Move{"pages far out",
           "smaller pages, with the first page id raised so that they stay as far into the pool",
           false, shrink_pages_far_out},
      Move{"pairs", "two numbers lowered together by the same amount; of a list, its first eight",
           false, lower_pairs},
      Move{"steps with numbers",
           "a step dropped and its tokens put into the prompt, or a number lowered", false,
           shorten_script_with_numbers},
      Move{"trades", "a number lowered and a later one of the order raised by as much, or doubled",
           false, trade_numbers},
      Move{"trades of choices",
           "of two that are not at their simplest, one lowered, one at any other", false,
           trade_choices},
      Move{"choices with numbers", "a choice at its simplest with a number small or nearby", true,
           trade_choices_for_numbers},
      Move{"trades of requests",
           "fewer requests with a prompt longer, or a number lower, by as much", false,
           trade_requests},
      Move{"periods", "the 256 values below a number; after a success, multiples of that distance",
           true, discover_periods},
      Move{"seed", "42, then 0 to 7", false, simplify_seed},
      Move{"seeds", "a field at its simplest, at half or one lower, with another seed", true,
           lower_with_other_seeds},
      Move{"every smaller value",
           "of each field alone: all of them, or the 256 simplest and the 256 nearest", true,
           try_every_smaller_value}};
  return kMoves;
}

}  // namespace helixcheck
