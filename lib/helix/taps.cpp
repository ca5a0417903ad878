// Names of stages and taps, and the place of each tap in the pipeline.

#include "helix/taps.hpp"

namespace helixcheck {
namespace {

struct TapFacts {
  std::string_view name;
  Stage stage;
};

// In the order of `Tap`.
constexpr std::array<TapFacts, kTapCount> kTaps{{
    {"block_table", Stage::plan},
    {"position", Stage::plan},
    {"slot", Stage::plan},
    {"local_len", Stage::plan},
    {"visible", Stage::plan},
    {"row_request", Stage::plan},
    {"q_a", Stage::project},
    {"q_c", Stage::project},
    {"q_nope", Stage::project},
    {"q", Stage::project},
    {"kv_c", Stage::project},
    {"latent", Stage::project},
    {"cache_rows", Stage::append},
    {"cache_spare", Stage::append},
    {"partial_o", Stage::attend},
    {"lse", Stage::attend},
    {"cache_late", Stage::attend},
    {"exchanged", Stage::exchange},
    {"exchanged_lse", Stage::exchange},
    {"combined", Stage::combine},
    {"combined_lse", Stage::combine},
    {"v_up", Stage::output},
    {"o_partial", Stage::output},
    {"output", Stage::output},
}};

constexpr std::array<std::string_view, 7> kStages{"plan",     "project", "append", "attend",
                                                  "exchange", "combine", "output"};

}  // namespace

std::string_view name_of(Stage stage) {
  return kStages[static_cast<std::size_t>(stage)];
}

std::string_view name_of(Tap tap) {
  return kTaps[static_cast<std::size_t>(tap)].name;
}

Stage stage_of(Tap tap) {
  return kTaps[static_cast<std::size_t>(tap)].stage;
}

std::int64_t TapView::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

}  // namespace helixcheck
