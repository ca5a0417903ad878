// A `merge` case has no ranks: its one device merges all heads of `kvp` partials.

#include "verdict/geometry.hpp"

namespace helixcheck {

Geometry::Geometry(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  const Layout& l = scenario.layout;
  const bool merge = p.entry == Entry::merge;
  hidden = p.hidden_size;
  q_lora = p.q_lora_rank;
  latent = p.kv_lora_rank;
  rope = p.qk_rope_head_dim;
  nope = p.qk_nope_head_dim;
  value = p.v_head_dim;
  width = latent + rope;
  kvp = l.kvp;
  tpa = merge ? 1 : l.tpa;
  ranks = merge ? 1 : kvp * tpa;
  heads = p.num_heads;
  rank_heads = heads / tpa;
  owned_heads = merge ? heads : rank_heads / kvp;
  lse_values = l.lse_form == LseForm::max_sum ? 2 : 1;
  dtype = p.dtype;
  kv_dtype = p.kv_cache_dtype;
}

}  // namespace helixcheck
