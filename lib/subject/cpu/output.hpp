// Stage `output` as a template of its decisions, so that a mutant replaces exactly one of them.

#pragma once

#include <algorithm>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

struct OutputDecisions {
  // The sum over ranks and one rank's share more, in the accumulator's format.
  static float add(Dtype, float sum, float share) { return sum + share; }
};

inline void project_values(const hxc_step& step, Rank& rank, Scratch& scratch) {
  const hxc_model& model = *step.model;
  const std::int64_t latent = model.kv_lora_rank, ld = padded(latent);
  for (std::int64_t h = 0; h < step.place->owned_heads; ++h) {
    hxc_tensor in = step.combined, out = step.v_up;  // [B, Hc, .] -> head h as [B, .]
    in.data = at(step.combined, 0, h);
    out.data = at(step.v_up, 0, h);
    in.rank = out.rank = 2;
    in.shape[1] = latent;
    out.shape[1] = model.v_head_dim;
    in.stride[1] = out.stride[1] = 1;
    widen_rows(in, 0, step.rows, scratch.input.data(), ld);
    project_rows(scratch.input.data(), step.rows, rank.weights.v_b[static_cast<std::size_t>(h)],
                 scratch.result.data(), out);
  }
}

inline void project_output(const hxc_step& step, Rank& rank, Scratch& scratch) {
  hxc_tensor flat = step.v_up;  // [B, Hc * Vd]
  flat.rank = 2;
  flat.shape[1] = step.v_up.shape[1] * step.v_up.shape[2];
  flat.stride[1] = 1;
  widen_rows(flat, 0, step.rows, scratch.input.data(), padded(flat.shape[1]));
  project_rows(scratch.input.data(), step.rows, *rank.weights.o, scratch.result.data(),
               step.o_partial);
}

// gathered: [ranks, B, D] codes.
template <class Decisions>
void sum_ranks(const hxc_step& step, Rank& rank, Scratch& scratch) {
  const std::int64_t ranks = step.place->kvp * step.place->tpa;
  const std::int64_t width = step.model->hidden_size;
  const std::int64_t row_bytes = width * element_bytes(step.o_partial);
  const Dtype dtype = dtype_of(step.o_partial);
  const auto n = static_cast<std::size_t>(width);
  float* sum = scratch.result.data();
  float* part = scratch.input.data();
  for (std::int64_t b = 0; b < step.rows; ++b) {
    for (std::int64_t r = 0; r < ranks; ++r) {
      const std::byte* codes = rank.gathered.data() + (r * step.rows + b) * row_bytes;
      decode_to(dtype, codes, {r == 0 ? sum : part, n});
      for (std::int64_t j = 0; r > 0 && j < width; ++j) {
        sum[j] = Decisions::add(dtype, sum[j], part[j]);
      }
    }
    encode_from(dtype, {sum, n}, at(step.output, b));
  }
}

template <class Decisions>
int output_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::size_t i = 0; i < self.ranks.size(); ++i) {
    project_values(*ranks[i], self.ranks[i], self.scratch);
    project_output(*ranks[i], self.ranks[i], self.scratch);
    self.send[i] = ranks[i]->o_partial.data;
    self.receive[i] = self.ranks[i].gathered.data();
  }
  const hxc_step& any = *ranks[0];
  const auto bytes =
      static_cast<std::size_t>(any.rows * any.model->hidden_size * element_bytes(any.o_partial));
  if (const int status = comm->all_gather(comm, HXC_GROUP_ALL, self.send.data(),
                                          self.receive.data(), bytes, any.step, error)) {
    return status;
  }
  for (std::size_t i = 0; i < self.ranks.size(); ++i) {
    sum_ranks<Decisions>(*ranks[i], self.ranks[i], self.scratch);
  }
  return 0;
}

}  // namespace helixcheck::cpu
