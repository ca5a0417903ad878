// Exact attention of every shard, merged with the composed bounds of span_bound.hpp.

#include "verdict/span_reference.hpp"

#include <cmath>
#include <limits>

#include "verdict/geometry.hpp"
#include "verdict/span_bound.hpp"

namespace helixcheck {
namespace {

class Spanned {
 public:
  Spanned(const Inputs& inputs, const StageContracts& contracts, std::span<const double> q,
          std::span<const SpanShard> shards, Accelerator* accelerator)
      : geometry_(inputs.scenario()),
        attending_(*contracts[static_cast<std::size_t>(Stage::attend)]),
        merging_(*contracts[static_cast<std::size_t>(Stage::combine)]),
        form_(inputs.scenario().layout.lse_form),
        shards_(shards),
        latent_(static_cast<std::size_t>(geometry_.latent)),
        errors_(shards.size() * latent_) {
    for (const SpanShard& shard : shards) {
      exact_.push_back(attend_on(accelerator, q, shard.keys, shard.visible, geometry_.heads,
                                 geometry_.latent, geometry_.rope, inputs.rope().softmax_scale));
    }
    facts_.width = geometry_.width;
    facts_.dtype = geometry_.dtype;
    facts_.scaled_keys = scale_rounds(inputs.problem());
    facts_.independent = scores_are_dithered(inputs.problem().data);
  }

  SpanLanes lanes() {
    SpanLanes all;
    const std::size_t count =
        shards_.front().visible.size() * static_cast<std::size_t>(geometry_.heads);
    all.o.resize(count * latent_);
    all.error.resize(count * latent_);
    all.lse.assign(count, -std::numeric_limits<double>::infinity());
    all.lse_error.resize(count);
    all.credible.assign(count, true);
    for (std::size_t lane = 0; lane < count; ++lane) {
      const std::vector<bounds::SpanPart> parts = parts_of(lane);
      if (parts.empty()) continue;
      const bounds::SpanResult result =
          bounds::merged(merging_, {form_, geometry_.dtype}, geometry_.kvp, parts, row(all.o, lane),
                         row(all.error, lane));
      all.lse[lane] = result.lse;
      all.lse_error[lane] = result.lse_error;
      all.credible[lane] = result.credible;
    }
    return all;
  }

 private:
  std::span<double> row(std::vector<double>& values, std::size_t i) const {
    return std::span(values).subspan(i * latent_, latent_);
  }

  // Those that hold at least one key the lane sees. Their errors live until the next call.
  std::vector<bounds::SpanPart> parts_of(std::size_t lane) {
    const std::size_t step_row = lane / static_cast<std::size_t>(geometry_.heads);
    std::vector<bounds::SpanPart> parts;
    for (std::size_t rank = 0; rank < shards_.size(); ++rank) {
      const stages::AttendResult& exact = exact_[rank];
      facts_.visible = shards_[rank].visible[step_row];
      if (facts_.visible == 0) continue;
      facts_.head = exact.heads[lane];
      const std::span<double> error = row(errors_, parts.size());
      const std::span<const double> o(exact.o.data() + lane * latent_, latent_);
      bounds::stored_partial(attending_, facts_, geometry_.dtype, o,
                             {exact.square.data() + lane * latent_, latent_},
                             {exact.sum_abs_v.data() + step_row * latent_, latent_}, error);
      const double gauge = form_ == LseForm::max_sum ? facts_.head.max_score : facts_.head.lse;
      parts.push_back({facts_.head.lse, bounds::stored_lse(attending_, facts_), gauge, o, error});
    }
    return parts;
  }

  const Geometry geometry_;
  const Contract& attending_;
  const Contract& merging_;
  const LseForm form_;
  const std::span<const SpanShard> shards_;
  const std::size_t latent_;
  std::vector<stages::AttendResult> exact_;  // by rank
  std::vector<double> errors_;               // of one lane's parts
  bounds::AttendFacts facts_;
};

}  // namespace

SpanLanes span_reference(const Inputs& inputs, const StageContracts& contracts,
                         std::span<const double> q, std::span<const SpanShard> shards,
                         Accelerator* accelerator) {
  return Spanned(inputs, contracts, q, shards, accelerator).lanes();
}

bool scores_are_dithered(const Data& data) {
  return data.family == Family::uniform && data.tensors.empty() && data.lse_gap == 0;
}

bool scale_rounds(const Problem& problem) {
  int exponent = 0;
  return std::frexp(problem.kv_scale, &exponent) != 0.5;
}

}  // namespace helixcheck
