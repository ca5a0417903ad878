// The stages chained: queries, cache rows, attention per request, value up-projection, output.

#include "mla/composed.hpp"

#include <utility>

#include "mla/attend.hpp"
#include "mla/latent_rows.hpp"
#include "mla/matmul.hpp"
#include "mla/projection.hpp"

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
  std::vector<double> output(std::span<double> combined, std::int64_t rows) const;

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
    attend(history.request(rows[begin].request), rows.subspan(begin, end - begin),
           std::span(q).subspan(begin * row_size, (end - begin) * row_size), result);
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
  std::vector<double> y = project(v_up, rows, weights.o);
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
