// Features of the history: batch, context lengths, steps and scripts.

#include <algorithm>
#include <array>
#include <functional>

#include "generate/cost.hpp"
#include "generate/feature_groups.hpp"
#include "generate/script_draw.hpp"

namespace helixcheck::feature_groups {
namespace {

Problem& problem(Draft& d) {
  return d.scenario.problem;
}

void set_batch(Draft& d, std::int64_t batch) {
  problem(d).ctx_len.assign(static_cast<std::size_t>(batch), problem(d).ctx_len.front());
}

constexpr std::array kBatch{
    Level{"1", 6, [](Draft&) {}},
    Level{"2 or 3", 6, [](Draft& d) { set_batch(d, d.choices.between(2, 3)); }},
    Level{"4 to 8", 2, [](Draft& d) { set_batch(d, d.choices.between(4, 8)); }},
    Level{"9 to 33", 1, [](Draft& d) { set_batch(d, d.choices.between(9, 33)); }},
    Level{"as many as heads", 1,
          [](Draft& d) { set_batch(d, std::min<std::int64_t>(problem(d).num_heads, 33)); }},
};

constexpr std::array kTokens{
    Level{"1", 5, [](Draft&) {}},
    Level{"2", 2, [](Draft& d) { problem(d).predicted_tokens_per_seq = 2; }},
    Level{"3 or 4", 1,
          [](Draft& d) { problem(d).predicted_tokens_per_seq = d.choices.between(3, 4); }},
    Level{"5 to 8", 1,
          [](Draft& d) {
            const bool most = d.choices.below(2) == 1;
            problem(d).predicted_tokens_per_seq = most ? 8 : d.choices.between(5, 8);
          }},
};

// One length of each class.
using DrawLength = std::int64_t (*)(Draft&);

std::int64_t small_length(Draft& d) {
  return d.choices.log_between(2, 64);
}

// One beside a multiple of `unit`, below about 200 tokens or two units.
std::int64_t near_multiple(Draft& d, std::int64_t unit) {
  const std::int64_t multiples = std::max<std::int64_t>(2, 200 / unit);
  const std::int64_t at = unit * d.choices.between(1, multiples);
  return std::max<std::int64_t>(0, at + d.choices.between(-1, 1));
}

std::int64_t near_page(Draft& d) {
  return near_multiple(d, d.scenario.layout.kv_cache_tokens_per_block);
}

// Where every rank ends a page or a run of tokens together.
std::int64_t near_shard(Draft& d) {
  const Layout& layout = d.scenario.layout;
  const std::int64_t run =
      d.choices.below(2) == 0 ? layout.interleave : layout.kv_cache_tokens_per_block;
  return near_multiple(d, run * layout.kvp);
}

// As long as the budget allows, and never short: past the tiles of most kernels.
std::int64_t long_length(Draft& d) {
  constexpr std::int64_t kShortest = 257, kLongest = 1 << 20;
  Scenario one = d.scenario;
  one.problem.ctx_len = {kShortest};
  const double base = forecast_seconds(one);
  one.problem.ctx_len = {kShortest + 1000};
  const double per_token = (forecast_seconds(one) - base) / 1000;
  const double tokens = std::max(0.0, budget_seconds(d.size) - base) / per_token;
  const auto most = std::min(kLongest, kShortest + static_cast<std::int64_t>(tokens));
  return d.choices.log_between(kShortest, most);
}

template <DrawLength draw>
void set_lengths(Draft& d) {
  if (problem(d).entry == Entry::merge) return;  // has rows, but no keys
  for (std::int64_t& length : problem(d).ctx_len) length = draw(d);
}

// Long contexts come one at a time: the other requests stay small.
void set_one_long(Draft& d) {
  set_lengths<small_length>(d);
  if (problem(d).entry == Entry::merge) return;
  std::vector<std::int64_t>& lengths = problem(d).ctx_len;
  lengths[d.choices.below(lengths.size())] = long_length(d);
}

constexpr std::array kContext{
    Level{"2 to 64", 5, set_lengths<small_length>},
    Level{"0", 1, set_lengths<[](Draft&) -> std::int64_t { return 0; }>},
    Level{"1", 1, set_lengths<[](Draft&) -> std::int64_t { return 1; }>},
    Level{"about as many as ranks", 2,
          set_lengths<[](Draft& d) { return d.choices.between(0, d.scenario.layout.kvp + 1); }>},
    Level{"beside a page edge", 3, set_lengths<near_page>},
    Level{"beside a shard edge", 3, set_lengths<near_shard>},
    Level{"65 to 256", 1, set_lengths<[](Draft& d) { return d.choices.between(65, 256); }>},
    Level{"one above 256", 1, set_one_long},
};

// How the requests' lengths relate.
constexpr std::array kLengths{
    Level{"as drawn", 4, [](Draft&) {}},
    Level{"equal", 1,
          [](Draft& d) {
            std::vector<std::int64_t>& lengths = problem(d).ctx_len;
            const std::int64_t shared = std::min<std::int64_t>(lengths.front(), 300);
            std::fill(lengths.begin(), lengths.end(), shared);
          }},
    Level{"one empty", 1,
          [](Draft& d) {
            std::vector<std::int64_t>& lengths = problem(d).ctx_len;
            lengths[d.choices.below(lengths.size())] = 0;
          }},
    Level{"descending", 1,
          [](Draft& d) {
            std::sort(problem(d).ctx_len.begin(), problem(d).ctx_len.end(), std::greater<>());
          }},
};

// What follows the prompt; tokens a step as drawn before.
void write_script(Draft& d, ScriptStyle style) {
  style.max_tokens = std::max<std::int64_t>(problem(d).predicted_tokens_per_seq, 1);
  d.scenario.script = draw_script(problem(d), style, d.choices);
  problem(d).predicted_tokens_per_seq = 1;
}

void roll_pages(Draft& d) {
  const Layout& layout = d.scenario.layout;
  const std::int64_t tokens = std::max<std::int64_t>(problem(d).predicted_tokens_per_seq, 1);
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const std::int64_t to_roll = page * (d.choices.below(2) == 0 ? 1 : layout.kvp) + 1;
  problem(d).decode_steps = std::clamp<std::int64_t>((to_roll + tokens - 1) / tokens, 2, 20);
}

constexpr std::array kScript{
    Level{"one step", 8, [](Draft&) {}},
    Level{"2 or 3 steps", 4, [](Draft& d) { problem(d).decode_steps = d.choices.between(2, 3); }},
    Level{"past a page", 1, roll_pages},
    Level{"continuous batching", 1,
          [](Draft& d) { write_script(d, {.join = 3, .decode = 5, .finish = 2}); }},
    Level{"drafts rejected", 1,
          [](Draft& d) { write_script(d, {.join = 1, .decode = 5, .reject = 4}); }},
    Level{"forks", 1,
          [](Draft& d) {
            write_script(d, {.join = 1, .decode = 5, .reject = 1, .finish = 1, .fork = 3});
          }},
    Level{"everything", 1,
          [](Draft& d) {
            write_script(
                d, {.join = 2, .decode = 5, .reject = 2, .finish = 2, .fork = 2, .max_steps = 16});
          }},
};

constexpr std::array kPrompt{
    Level{"computed", 2, [](Draft&) {}},
    Level{"given", 1, [](Draft& d) { problem(d).prompt = Prompt::given; }},
};

constexpr std::array kHistory{
    Feature{"batch", true, true, true, kBatch},
    Feature{"tokens", false, true, true, kTokens},
    Feature{"ctx_len", false, true, true, kContext},
    Feature{"lengths", false, true, true, kLengths},
    Feature{"script", false, true, true, kScript},
    Feature{"prompt", false, false, true, kPrompt},
};

}  // namespace

std::span<const Feature> history() {
  return kHistory;
}

}  // namespace helixcheck::feature_groups
