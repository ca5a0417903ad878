// Creation: weights are widened once and shared between ranks that hold the same ones.

#include "subject/cpu/instance.hpp"

#include <algorithm>

#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

using Shared = std::shared_ptr<const Matrix>;

Matrix widened(const hxc_tensor& view) {
  Matrix m{view.shape[0], view.shape[1], padded(view.shape[1]), {}};
  m.data.resize(static_cast<std::size_t>(m.rows * m.ld));
  widen_rows(view, 0, m.rows, m.data.data(), m.ld);
  return m;
}

// View [n] as [1, n].
hxc_tensor as_row(const hxc_tensor& vector) {
  return dense(vector.data, vector.dtype, {1, vector.shape[0]});
}

// View [heads, rows, cols] -> head h as [rows, cols].
hxc_tensor head_view(const hxc_tensor& view, std::int64_t h) {
  hxc_tensor head = view;
  head.data = at(view, h);
  head.rank = 2;
  for (int axis = 0; axis < 2; ++axis) {
    head.shape[axis] = view.shape[axis + 1];
    head.stride[axis] = view.stride[axis + 1];
  }
  return head;
}

Matrix transposed(const Matrix& from) {
  Matrix to{from.cols, from.rows, padded(from.rows), {}};
  to.data.resize(static_cast<std::size_t>(to.rows * to.ld));
  for (std::int64_t i = 0; i < from.rows; ++i) {
    for (std::int64_t j = 0; j < from.cols; ++j) {
      to.data[static_cast<std::size_t>(j * to.ld + i)] = from.row(i)[j];
    }
  }
  return to;
}

class WeightCache {
 public:
  Shared get(const hxc_tensor& view) {
    if (view.data == nullptr) return nullptr;
    Shared& entry = entries_[{view.data, view.shape[0]}];
    if (!entry) entry = std::make_shared<const Matrix>(widened(view));
    return entry;
  }

 private:
  std::map<std::pair<const void*, std::int64_t>, Shared> entries_;
};

RankWeights widen_weights(const hxc_weights& w, WeightCache& cache) {
  RankWeights result;
  if (w.kv_a.data == nullptr) return result;  // `core` and `merge` have no weights
  result.q_a = cache.get(w.q_a);
  result.q_b = cache.get(w.q_b);
  result.kv_a = cache.get(w.kv_a);
  result.kv_a_norm = cache.get(as_row(w.kv_a_norm));
  if (result.q_a) result.q_a_norm = cache.get(as_row(w.q_a_norm));
  result.o = std::make_shared<const Matrix>(widened(w.o));
  for (std::int64_t h = 0; h < w.k_b.shape[0]; ++h) {
    result.k_b.push_back(transposed(widened(head_view(w.k_b, h))));
  }
  for (std::int64_t h = 0; h < w.v_b.shape[0]; ++h) {
    result.v_b.push_back(widened(head_view(w.v_b, h)));
  }
  return result;
}

void size_scratch(Scratch& s, const hxc_model& m, const hxc_rank& place, const hxc_limits& limits,
                  bool has_weights) {
  const auto floats = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::int64_t width = m.kv_lora_rank + m.qk_rope_head_dim;
  const std::int64_t head = m.qk_nope_head_dim + m.qk_rope_head_dim;
  const std::int64_t rows = limits.max_rows, lanes = rows * place.heads;
  std::int64_t widest_in = place.heads * padded(width);  // for each row
  std::int64_t widest_out = 0;
  if (has_weights) {
    widest_in = std::max({widest_in, padded(m.hidden_size), padded(m.q_lora_rank),
                          padded(place.owned_heads * m.v_head_dim), padded(m.kv_lora_rank)});
    widest_out = std::max({place.heads * head, m.hidden_size, m.q_lora_rank, width, m.v_head_dim});
  }
  const std::int64_t prompt = has_weights ? limits.max_prompt_rows : 0;
  s.input.resize(floats(std::max(rows * widest_in, prompt * padded(m.hidden_size))));
  s.result.resize(floats(std::max(rows * widest_out, prompt * width)));
  s.narrow.resize(floats(2 * padded(width) + padded(head) + padded(m.q_lora_rank) +
                         m.qk_rope_head_dim + kLanes));
  s.keys.resize(floats(kTile * padded(width)));
  s.scores.resize(floats(lanes * kTile));
  s.sums.resize(floats(lanes * (kLanes + padded(m.kv_lora_rank))));
  s.merge_lse.resize(floats(place.kvp));
}

// Buffers of the collectives, which all ranks use at once.
void size_buffers(Rank& rank, const hxc_model& m, const hxc_rank& place, const hxc_limits& limits,
                  bool has_weights) {
  const auto dtype_bytes = static_cast<std::int64_t>(size_of(static_cast<Dtype>(m.dtype)));
  const std::int64_t rows = limits.max_rows, lanes = place.kvp * rows * place.owned_heads;
  const std::int64_t gathered = place.kvp * place.tpa * rows * m.hidden_size * dtype_bytes;
  const std::int64_t sent = lanes * std::max<std::int64_t>(m.kv_lora_rank, 2) * 4;
  rank.gathered.resize(static_cast<std::size_t>(has_weights ? gathered : 0));
  rank.send.resize(static_cast<std::size_t>(sent));
}

}  // namespace

int create(const Variant& variant, void** instance, const hxc_model* model,
           const hxc_rank* const* places, const hxc_weights* const* weights,
           const hxc_limits* limits, hxc_error*) {
  auto self = std::make_unique<Instance>();
  self->variant = variant;
  self->ranks.resize(static_cast<std::size_t>(limits->local_ranks));
  self->send.resize(self->ranks.size());
  self->receive.resize(self->ranks.size());
  WeightCache cache;
  for (std::size_t i = 0; i < self->ranks.size(); ++i) {
    Rank& rank = self->ranks[i];
    rank.weights = widen_weights(*weights[i], cache);
    size_buffers(rank, *model, *places[i], *limits, weights[i]->kv_a.data != nullptr);
  }
  size_scratch(self->scratch, *model, *places[0], *limits, weights[0]->kv_a.data != nullptr);
  *instance = self.release();
  return 0;
}

void widen_rows(const hxc_tensor& from, std::int64_t first, std::int64_t count, float* to,
                std::int64_t ld) {
  const std::int64_t width = from.shape[1];
  for (std::int64_t i = 0; i < count; ++i) {
    decode_to(dtype_of(from), at(from, first + i), {to + i * ld, static_cast<std::size_t>(width)});
    std::fill(to + i * ld + width, to + (i + 1) * ld, 0.0f);
  }
}

void project_rows(const float* x, std::int64_t m, const Matrix& w, float* fp32_copy,
                  const hxc_tensor& to) {
  kernels().product(x, w.ld, w.data.data(), w.ld, fp32_copy, w.rows, m, w.rows, w.ld);
  for (std::int64_t i = 0; i < m; ++i) {
    encode_from(dtype_of(to), {fp32_copy + i * w.rows, static_cast<std::size_t>(w.rows)},
                at(to, i));
  }
}

}  // namespace helixcheck::cpu
