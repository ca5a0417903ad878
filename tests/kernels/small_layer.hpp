// The small layer that tests on a device start from.

#pragma once

#include "scenario/scenario.hpp"

namespace helixcheck {

inline Scenario small_layer() {
  Scenario s;
  s.problem.hidden_size = 96;
  s.problem.num_heads = 12;
  s.problem.q_lora_rank = 40;
  s.problem.kv_lora_rank = 32;
  s.problem.qk_nope_head_dim = 12;
  s.problem.qk_rope_head_dim = 8;
  s.problem.v_head_dim = 16;
  s.problem.ctx_len = {61, 18, 1};
  s.problem.decode_steps = 2;
  return s;
}

}  // namespace helixcheck
