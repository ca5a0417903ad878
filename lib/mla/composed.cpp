// The stages chained: queries, cache rows, attention per request, value up-projection, output.

#include "mla/composed.hpp"

#include <algorithm>
#include <utility>

#include "mla/attend.hpp"
#include "mla/latent_rows.hpp"
#include "mla/matmul.hpp"
#include "mla/projection.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kChunk = 512;  // prompt tokens projected at a time

}  // namespace

struct Composed::Impl {
  Impl(const Inputs& given, Store store)
      : inputs(given),
        problem(given.problem()),
        width(problem.kv_lora_rank + problem.qk_rope_head_dim),
        projection(given, std::move(store)),
        latents(width, kChunk, [this](const LatentRows::Piece& piece, std::span<double> rows) {
          projection.cache_rows(piece, rows);
        }) {}

  StepResult step(const History& history, std::span<const Row> rows);

  // Attention of the rows of one request, which start at row `first`, appended to the result.
  void attend(const RequestState& request, std::span<const Row> rows, std::span<const double> q,
              StepResult& result);
  // The same shard by shard, every partial result stored and then merged.
  void attend_shards(const RequestState& request, std::span<const Row> rows,
                     std::span<const double> q, StepResult& result);
  std::vector<double> output(std::span<double> combined, std::int64_t rows) const;
  std::vector<double> output_by_rank(std::span<const double> v_up, std::int64_t rows) const;

  const Inputs& inputs;
  const Problem& problem;
  std::int64_t width;  // R + P
  Projection projection;
  LatentRows latents;
};

StepResult Composed::Impl::step(const History& history, std::span<const Row> rows) {
  StepResult result;
  if (rows.empty()) return result;
  const std::vector<double> q = projection.queries(rows);
  const std::size_t row_size = q.size() / rows.size();
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    while (end < rows.size() && rows[end].request == rows[begin].request) ++end;
    const RequestState& request = history.request(rows[begin].request);
    const std::span<const double> queries =
        std::span(q).subspan(begin * row_size, (end - begin) * row_size);
    if (projection.stores()) {
      attend_shards(request, rows.subspan(begin, end - begin), queries, result);
    } else {
      attend(request, rows.subspan(begin, end - begin), queries, result);
    }
  }
  latents.forget_finished(history);
  projection.round(problem.dtype, result.combined);
  if (problem.entry == Entry::layer) {
    result.output = output(result.combined, static_cast<std::int64_t>(rows.size()));
    result.combined.clear();
  }
  return result;
}

void Composed::Impl::attend(const RequestState& request, std::span<const Row> rows,
                            std::span<const double> q, StepResult& result) {
  std::vector<std::int64_t> visible;
  for (const Row& row : rows) visible.push_back(row.index + 1);
  const RowSource keys(latents.rows_of(request), width);
  const AttendShape shape{problem.num_heads, problem.kv_lora_rank, inputs.rope().softmax_scale};
  const stages::AttendResult attended = attend_rows(q, keys, visible, shape, false);
  result.combined.insert(result.combined.end(), attended.o.begin(), attended.o.end());
  for (const stages::AttendHead& head : attended.heads) result.lse.push_back(head.lse);
}

void Composed::Impl::attend_shards(const RequestState& request, std::span<const Row> rows,
                                   std::span<const double> q, StepResult& result) {
  const Layout& layout = inputs.scenario().layout;
  const std::int64_t parts = layout.kvp, latent = problem.kv_lora_rank;
  const std::int64_t lanes = std::ssize(rows) * problem.num_heads;
  const double* all = latents.rows_of(request);  // [tokens, R + P]
  const AttendShape shape{problem.num_heads, latent, inputs.rope().softmax_scale};
  std::vector<double> o(static_cast<std::size_t>(lanes * parts * latent));  // [lanes, parts, R]
  std::vector<double> lse(static_cast<std::size_t>(lanes * parts));
  for (std::int64_t part = 0; part < parts; ++part) {
    std::vector<double> own;
    for (std::int64_t t = 0; t < request.tokens.size(); ++t) {
      if (owner_of(layout, t, request.prompt_len) != part) continue;
      own.insert(own.end(), all + t * width, all + (t + 1) * width);
    }
    std::vector<std::int64_t> visible;
    for (const Row& row : rows) {
      visible.push_back(owned_count(layout, part, row.index + 1, request.prompt_len));
    }
    const stages::AttendResult shard =
        attend_rows(q, RowSource(own.data(), width), visible, shape, false);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t place = lane * parts + part;
      std::copy_n(shard.o.begin() + lane * latent, latent, o.begin() + place * latent);
      lse[static_cast<std::size_t>(place)] = shard.heads[static_cast<std::size_t>(lane)].lse;
    }
  }
  projection.round(problem.dtype, o);
  std::vector<double> merged(static_cast<std::size_t>(latent)), unused(merged.size());
  const auto each = static_cast<std::size_t>(parts * latent);
  for (std::size_t lane = 0; lane < static_cast<std::size_t>(lanes); ++lane) {
    result.lse.push_back(
        stages::merge(std::span(o).subspan(lane * each, each),
                      std::span(lse).subspan(lane * static_cast<std::size_t>(parts),
                                             static_cast<std::size_t>(parts)),
                      latent, merged, unused, unused));
    result.combined.insert(result.combined.end(), merged.begin(), merged.end());
  }
}

std::vector<double> Composed::Impl::output(std::span<double> combined, std::int64_t rows) const {
  const std::int64_t heads = problem.num_heads;
  const std::int64_t latent = problem.kv_lora_rank;
  const std::int64_t value_dim = problem.v_head_dim;
  const Weights& weights = inputs.weights();
  const RowSource kv_b(weights.kv_b.dtype, weights.kv_b.bytes.data(), latent);
  std::vector<double> v_up(static_cast<std::size_t>(rows * heads * value_dim));
  for (std::int64_t h = 0; h < heads; ++h) {
    const std::int64_t first = h * (problem.qk_nope_head_dim + value_dim);
    multiply_transposed({combined.data() + h * latent, heads * latent}, rows,
                        kv_b.without_first(first + problem.qk_nope_head_dim), value_dim,
                        {v_up.data() + h * value_dim, heads * value_dim});
  }
  projection.round(problem.dtype, v_up);
  if (!projection.stores()) return project(v_up, rows, weights.o);
  return output_by_rank(v_up, rows);
}

// Each rank stores its share of the output projection before the shares are added.
std::vector<double> Composed::Impl::output_by_rank(std::span<const double> v_up,
                                                   std::int64_t rows) const {
  const std::int64_t ranks = inputs.scenario().layout.ranks();
  const std::int64_t all = problem.num_heads * problem.v_head_dim, own = all / ranks;
  const std::vector<double> o = widen(inputs.weights().o);  // [D, H * Vd]
  std::vector<double> slice(static_cast<std::size_t>(problem.hidden_size * own));
  std::vector<double> y(static_cast<std::size_t>(rows * problem.hidden_size)), share = y;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    for (std::int64_t d = 0; d < problem.hidden_size; ++d) {
      std::copy_n(o.begin() + d * all + rank * own, own, slice.begin() + d * own);
    }
    multiply_transposed({v_up.data() + rank * own, all}, rows, RowSource(slice.data(), own),
                        problem.hidden_size, {share.data(), problem.hidden_size});
    projection.round(problem.dtype, share);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += share[i];
  }
  projection.round(problem.dtype, y);
  return y;
}

Composed::Composed(const Inputs& inputs, Store store)
    : impl_(std::make_unique<Impl>(inputs, std::move(store))) {}

Composed::~Composed() = default;

StepResult Composed::step(const History& history, std::span<const Row> rows) {
  return impl_->step(history, rows);
}

}  // namespace helixcheck
