#include "mutants/given_prompt.hpp"

#include <cstring>

#include "mla/formats.hpp"

namespace helixcheck {

// Each token comes from the rank that owns it; where several ranks do, from all of them alike.
void LatentRows::on_prompt(const PromptTaps& taps) {
  for (const PromptTaps::RankRows& rank : taps.ranks) {
    if (!rank.latent.present || rank.index.empty()) continue;
    row_bytes_ = static_cast<std::size_t>(rank.latent.shape[1]) * size_of(rank.latent.dtype);
    std::vector<std::byte>& rows = rows_[taps.request];
    rows.resize(static_cast<std::size_t>(taps.history->request(taps.request).prompt_len) *
                row_bytes_);
    for (std::size_t i = 0; i < rank.index.size(); ++i) {
      std::memcpy(rows.data() + static_cast<std::size_t>(rank.index[i]) * row_bytes_,
                  rank.latent.data + i * row_bytes_, row_bytes_);
    }
  }
}

void LatentRows::copy(std::int64_t request, std::int64_t index, std::int64_t count,
                      std::byte* out) const {
  std::memcpy(out, rows_.at(request).data() + static_cast<std::size_t>(index) * row_bytes_,
              static_cast<std::size_t>(count) * row_bytes_);
}

GivenPrompt::GivenPrompt(const Inputs& computed, const LatentRows& rows, const Layout& layout)
    : computed_(computed), rows_(rows), scenario_(computed.scenario()) {
  scenario_.problem.prompt = Prompt::given;
  scenario_.layout = layout;
}

}  // namespace helixcheck
