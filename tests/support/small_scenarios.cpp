// Fields that exclude each other are drawn so that every result is valid.

#include "support/small_scenarios.hpp"

#include <cmath>
#include <initializer_list>
#include <random>

namespace helixcheck {
namespace {

class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t index) : engine_(seed * 0x9e3779b97f4a7c15u + index) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {  // both inclusive
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  template <typename T>
  T of(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<std::int64_t>(values.size()) - 1)];
  }
  // Log-uniform in low .. high.
  std::int64_t log_between(double low, double high) {
    const double u = static_cast<double>(engine_() >> 11) * 0x1p-53;
    return static_cast<std::int64_t>(low * std::pow(high / low, u));
  }

 private:
  std::mt19937_64 engine_;
};

void draw_layout(Draw& draw, Layout& layout) {
  layout.kvp = draw.of<std::int64_t>({1, 2, 2, 3, 4, 5, 8});
  layout.tpa = draw.of<std::int64_t>({1, 1, 1, 2, 3});
  layout.ownership = draw.of({Ownership::contiguous, Ownership::contiguous_blocks,
                              Ownership::interleaved, Ownership::interleaved});
  layout.decode_owner = draw.of({DecodeOwner::last, DecodeOwner::restarted});
  if (layout.ownership == Ownership::interleaved && draw.one_in(2)) {
    layout.decode_owner = DecodeOwner::continued;
  }
  layout.interleave = draw.of<std::int64_t>({1, 2, 3, 16});
  layout.kv_cache_tokens_per_block = draw.of<std::int64_t>({1, 3, 16, 32});
  layout.page_order = draw.of({PageOrder::ascending, PageOrder::descending, PageOrder::shuffled});
  layout.spare_pages = draw.between(0, 2);
  layout.page_id_base = draw.of<std::int64_t>({0, 0, 1000});
  layout.row_gap = draw.of<std::int64_t>({0, 0, 5});
  layout.page_gap = draw.of<std::int64_t>({0, 0, 7});
  layout.padding_rows = draw.of<std::int64_t>({0, 0, 1, 3});
  layout.poison = draw.of({Poison::nan, Poison::inf, Poison::huge, Poison::zero});
  layout.lse_form = draw.of({LseForm::ln, LseForm::log2, LseForm::max_sum});
}

void draw_formats(Draw& draw, Problem& problem) {
  problem.dtype = draw.of({Dtype::bf16, Dtype::bf16, Dtype::fp16, Dtype::fp32});
  problem.kv_cache_dtype = problem.dtype;
  if (draw.one_in(4)) {
    problem.kv_cache_dtype = Dtype::fp8_e4m3;
    problem.kv_scale = draw.of({1.0, 0.0625, 0.03});
  }
}

void draw_data(Draw& draw, Scenario& s) {
  Data& data = s.problem.data;
  data.seed = static_cast<std::uint64_t>(draw.between(0, 1 << 30));
  data.logit_gain = draw.of({0.1, 1.0, 1.0, 3.0, 30.0, 100.0});
  if (s.problem.entry != Entry::core) return;
  data.family = draw.of({Family::uniform, Family::uniform, Family::uniform, Family::constant,
                         Family::integers, Family::one_hot, Family::null_test});
  if (data.family == Family::null_test && s.problem.kv_scale == 0.03) s.problem.kv_scale = 0.0625;
  if (data.family != Family::uniform || draw.one_in(2)) return;
  data.heavy = {
      HeavyKey{draw.of({HeavyPlace::key_zero, HeavyPlace::newest, HeavyPlace::shard_first,
                        HeavyPlace::shard_last, HeavyPlace::page_first, HeavyPlace::page_last}),
               static_cast<int>(draw.between(0, s.problem.num_heads - 1)),
               static_cast<int>(draw.between(0, s.layout.kvp - 1)), 0.5}};
}

// join two, decode, fork, reject, decode all, finish one, decode the rest.
void draw_script(Draw& draw, Scenario& s) {
  const std::int64_t drafts = draw.between(1, 4), child = s.problem.batch();
  s.script = {Step{StepKind::join, {0}, {}},
              Step{StepKind::decode, {0}, {drafts}},
              Step{StepKind::reject, {0}, {draw.between(1, drafts)}},
              Step{StepKind::join, {1}, {}},
              Step{StepKind::decode, {1, 0}, {draw.between(1, 3), draw.between(0, 2)}},
              Step{StepKind::fork, {1}, {}},
              Step{StepKind::decode, {0, 1, child}, {1, draw.between(0, 8), draw.between(1, 2)}},
              Step{StepKind::finish, {1}, {}},
              Step{StepKind::decode, {child, 0}, {1, draw.between(1, 3)}}};
}

}  // namespace

Scenario draw_small_scenario(std::uint64_t seed, std::uint64_t index) {
  Draw draw(seed, index);
  Scenario s;
  Problem& p = s.problem;
  p.entry = draw.of({Entry::core, Entry::core, Entry::core, Entry::layer, Entry::merge});
  draw_layout(draw, s.layout);
  if (p.entry == Entry::merge) {
    s.layout.tpa = 1;
    s.layout.kvp = draw.between(2, 12);
  }
  p.num_heads =
      p.entry == Entry::merge ? draw.between(1, 5) : s.layout.ranks() * draw.between(1, 2);
  p.hidden_size = draw.of<std::int64_t>({16, 40, 64});
  p.q_lora_rank = draw.of<std::int64_t>({0, 0, 12});
  p.kv_lora_rank = draw.of<std::int64_t>({4, 16, 32, 50});
  p.qk_nope_head_dim = draw.of<std::int64_t>({4, 8, 12});
  p.qk_rope_head_dim = draw.of<std::int64_t>({2, 4, 16});
  p.v_head_dim = draw.of<std::int64_t>({4, 8, 10});
  p.rope_interleave = draw.one_in(2);
  if (draw.one_in(3)) p.rope_scaling = RopeScaling{};
  p.position_base = draw.of<std::int64_t>({0, 0, 255, 131071, 1048576});
  draw_formats(draw, p);
  p.ctx_len.assign(static_cast<std::size_t>(draw.between(1, 3)), 0);
  for (std::int64_t& length : p.ctx_len) {
    length = draw.one_in(3) ? draw.between(0, 3) : draw.log_between(1, 256);
  }
  draw_data(draw, s);
  if (draw.one_in(60)) s.run.observe = Observe::end;  // dear: judged by an ensemble
  if (p.entry == Entry::merge) return s;
  p.prompt = draw.of({Prompt::computed, Prompt::given});
  if (p.ctx_len.size() >= 2 && draw.one_in(3)) {
    draw_script(draw, s);
  } else {
    p.decode_steps = draw.between(1, 3);
    p.predicted_tokens_per_seq = draw.of<std::int64_t>({1, 1, 2, 4, 8});
  }
  return s;
}

Scenario draw_benchmark_scenario(std::uint64_t seed, std::uint64_t index, Entry entry) {
  Draw draw(seed, index);
  Scenario s;
  Problem& p = s.problem;
  p.entry = entry;
  s.layout.kvp = draw.between(2, 4);
  p.num_heads = s.layout.kvp * draw.between(1, 8 / s.layout.kvp);
  p.hidden_size = 64;
  p.kv_lora_rank = 32;
  p.qk_nope_head_dim = 16;
  p.qk_rope_head_dim = 16;
  p.v_head_dim = 16;
  p.ctx_len.assign(static_cast<std::size_t>(draw.between(1, 2)), 0);
  for (std::int64_t& length : p.ctx_len) length = draw.log_between(1, 256);
  p.data.seed = index;
  return s;
}

}  // namespace helixcheck
