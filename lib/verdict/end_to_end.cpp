// The ensemble: each member follows the whole computation with every store rounded at random, which
// is as noisy as rounding to nearest or more. Its deviations from the exact run, pooled over a row,
// give the noise of one store sequence at the end of the pipeline.

#include "verdict/end_to_end.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "mla/formats.hpp"
#include "verdict/bounds.hpp"
#include "verdict/final_values.hpp"

namespace helixcheck {
namespace {

constexpr int kMembers = 32;
constexpr double kSigmas = 10;
constexpr double kMaxProducts = 1e10;  // of the whole ensemble and step: some seconds
constexpr double kMaxBytes = 0x1p31;   // of latent rows that the ensemble holds

// Values closer to each other than this part of a format's spacing are rounded alike by a member,
// as they are by rounding to nearest: the errors of many equal values add up instead of averaging
// out.
constexpr double kAlike = 1.0 / 16;

// A number in [0, 1) for each member and place between the codes of a format.
double draw_for(std::uint64_t member, Dtype dtype, double x) {
  const double place = std::floor(x / (2 * half_ulp(dtype, x) * kAlike));
  std::uint64_t mixed = std::bit_cast<std::uint64_t>(place) + member * 0x9e3779b97f4a7c15u +
                        static_cast<std::uint64_t>(dtype);
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;  // SplitMix64's last steps
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return static_cast<double>((mixed ^ mixed >> 31) >> 11) * 0x1p-53;
}

// Errors between the stores, which the ensemble does not have: accumulations and exponentials in
// fp32, as a share of the largest value in a row, for the least exact of the contracts. Only fp32
// stores let them matter.
double arithmetic_share(const StageContracts& contracts, const Problem& problem,
                        double largest_lse) {
  const std::int64_t terms = std::max(
      {problem.hidden_size, problem.kv_lora_rank + problem.qk_rope_head_dim, problem.q_lora_rank});
  double share = 0;
  for (const Contract* contract : contracts) {
    const double walk =
        std::sqrt(bounds::linear_factor(*contract, problem.dtype, terms) / contract->u_acc);
    share = std::max(share, 8 * contract->u_acc * walk * (4 + largest_lse) + 4 * contract->eps_exp);
  }
  return share;
}

double largest_magnitude(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

// Bound of each of `count` values from `offset` on: kSigmas times the noise of the element or of
// the row, whichever is larger.
void noise_bound(Entry entry, const std::vector<StepResult>& noisy, std::span<const double> exact,
                 std::int64_t offset, double share, std::span<double> bound) {
  double pooled = 0;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    double square = 0;
    for (const StepResult& member : noisy) {
      const double error =
          final_result(entry, member)[static_cast<std::size_t>(offset) + i] - exact[i];
      square += error * error;
    }
    bound[i] = square / kMembers;
    pooled += bound[i];
  }
  pooled /= static_cast<double>(bound.size());
  const double arithmetic = share * largest_magnitude(exact);
  for (double& value : bound) value = kSigmas * std::sqrt(std::max(value, pooled)) + arithmetic;
}

}  // namespace

double round_randomly(Dtype dtype, double x, double draw) {
  if (!std::isfinite(x)) return x;
  const double spacing = 2 * half_ulp(dtype, x);
  const double below = std::floor(x / spacing) * spacing;
  return round_to(dtype, (x - below) > draw * spacing ? below + spacing : below);
}

EndToEnd::EndToEnd(const Inputs& inputs) : inputs_(inputs) {}

const StepResult& EndToEnd::exact(const StepView& step) {
  if (exact_step_ == step.taps().step) return exact_;
  exact_step_ = step.taps().step;
  if (inputs_.problem().entry == Entry::merge) return exact_ = merge_reference(inputs_);
  if (!reference_) reference_.emplace(inputs_);
  return exact_ = reference_->step(*step.taps().history, step.taps().rows);
}

// Products of one pass over the step: latent rows and attention for every token, then projections.
bool EndToEnd::affordable(const StepView& step) const {
  const Problem& p = inputs_.problem();
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  const bool layer = p.entry == Entry::layer;
  double products = 0;
  std::int64_t all_tokens = 0;
  for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
    const auto tokens = static_cast<double>(step.request(slot).tokens.size());
    all_tokens += step.request(slot).tokens.size();
    products += tokens * static_cast<double>(layer ? width * p.hidden_size : width);
    products += tokens * static_cast<double>(2 * width * p.num_heads * step.row_count(slot));
  }
  if (layer) {
    const std::int64_t query_in = p.q_lora_rank > 0 ? p.q_lora_rank : p.hidden_size;
    const std::int64_t per_head = p.qk_nope_head_dim + p.qk_rope_head_dim;
    const std::int64_t a_row = p.num_heads * per_head * query_in + p.num_heads * width * per_head +
                               p.num_heads * p.v_head_dim * (p.hidden_size + p.kv_lora_rank);
    products += static_cast<double>(a_row * step.real_rows());
  }
  const double bytes = 8.0 * kMembers * static_cast<double>(all_tokens * width);
  return products * kMembers <= kMaxProducts && bytes <= kMaxBytes;
}

void EndToEnd::make_ensemble() {
  for (int member = 0; member < kMembers; ++member) {
    const auto number = static_cast<std::uint64_t>(member) + 1;
    ensemble_.emplace_back(inputs_, [number](Dtype dtype, double x) {
      return std::isfinite(x) ? round_randomly(dtype, x, draw_for(number, dtype, x)) : x;
    });
  }
}

bool EndToEnd::judge(JudgeState& state, const StepView& step) {
  const Entry entry = inputs_.problem().entry;
  const std::vector<FinalValues> shown = final_values(state, step);
  if (shown.empty() || step.real_rows() == 0) return true;
  if (!affordable(step)) return false;
  if (ensemble_.empty()) make_ensemble();
  const StepResult& reference = exact(step);
  std::vector<StepResult> noisy;
  for (Composed& member : ensemble_) {
    noisy.push_back(member.step(*step.taps().history, step.taps().rows));
  }
  const double share =
      arithmetic_share(state.contracts, inputs_.problem(), largest_magnitude(reference.lse));
  for (const FinalValues& values : shown) {
    const std::span<const double> want = final_result(entry, reference)
                                             .subspan(static_cast<std::size_t>(values.offset),
                                                      static_cast<std::size_t>(values.count));
    const std::span<double> bound = sized(state.scratch.bound, values.count);
    const std::span<double> got = sized(state.scratch.got, values.count);
    noise_bound(entry, noisy, want, values.offset, share, bound);
    decode_to(values.codes.dtype, values.codes.data, got);
    state.ledger.tap(final_tap(entry)).compare(values.codes.dtype, got, want, bound, values.place);
  }
  judge_lse(state, step, noisy, share);
  return true;
}

// The merged statistics, which nothing after them uses.
void EndToEnd::judge_lse(JudgeState& state, const StepView& step,
                         const std::vector<StepResult>& noisy, double share) {
  const Geometry& g = state.geometry;
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const TapView* tap = step.find(rank, Tap::combined_lse);
    if (tap == nullptr) continue;
    for (std::int64_t lane = 0; lane < step.real_rows() * g.owned_heads; ++lane) {
      const std::int64_t row = lane / g.owned_heads;
      const std::int64_t head = g.first_owned(rank) + lane % g.owned_heads;
      const auto place = static_cast<std::size_t>(row * g.heads + head);
      double square = 0;
      for (const StepResult& member : noisy) {
        square += (member.lse[place] - exact_.lse[place]) * (member.lse[place] - exact_.lse[place]);
      }
      const double bound = kSigmas * std::sqrt(square / kMembers) + share;
      const float got = reinterpret_cast<const float*>(tap->data)[lane];
      state.ledger.tap(Tap::combined_lse)
          .compare(Dtype::fp32, got, exact_.lse[place], bound, step.place(row, rank, head));
    }
  }
}

}  // namespace helixcheck
