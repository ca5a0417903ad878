// The sweep that shows that every check can fail: at every tap, values replaced by zeros, with
// flipped signs or with a gain of 1.05 are rejected and blamed on that tap.

#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "device/cuda.hpp"
#include "generate/case.hpp"
#include "helix/pipeline.hpp"
#include "run/run.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"
#include "subject/subject.hpp"
#include "support/tap_recording.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {

struct Formats {
  Dtype dtype, kv;
};
inline constexpr Formats kFormats[] = {{Dtype::bf16, Dtype::bf16},
                                       {Dtype::fp16, Dtype::fp16},
                                       {Dtype::fp32, Dtype::fp32},
                                       {Dtype::bf16, Dtype::fp8_e4m3}};

inline Scenario layer(const Formats& formats, bool large) {
  Scenario s;
  s.problem.dtype = formats.dtype;
  s.problem.kv_cache_dtype = formats.kv;
  if (formats.kv == Dtype::fp8_e4m3) s.problem.kv_scale = 0.0625;
  s.problem.num_heads = 8;
  s.problem.hidden_size = large ? 1024 : 96;
  s.problem.q_lora_rank = large ? 256 : 40;
  s.problem.kv_lora_rank = large ? 512 : 32;
  s.problem.qk_nope_head_dim = large ? 128 : 12;
  s.problem.qk_rope_head_dim = large ? 64 : 8;
  s.problem.v_head_dim = large ? 128 : 16;
  s.problem.ctx_len = large ? std::vector<std::int64_t>{8192} : std::vector<std::int64_t>{61, 18};
  s.problem.decode_steps = 2;
  if (large) s.problem.prompt = Prompt::given;  // each damage is judged from the start
  s.layout.kv_cache_tokens_per_block = 20;      // no shard of these lengths ends with a full page
  return s;
}

inline Scenario core(const Formats& formats, std::int64_t ctx_len) {
  Scenario s = layer(formats, true);
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {ctx_len};
  s.problem.decode_steps = 1;
  return s;
}

inline std::string label(const Scenario& s, Tap tap, Damage damage) {
  constexpr const char* kDamages[] = {"zeros", "sign flip", "gain 1.05"};
  return short_name(s) + " " + std::string(name_of(tap)) + " " + kDamages[static_cast<int>(damage)];
}

// Block tables are inputs; cache_spare and cache_late count stray bytes, see the faults. A position
// of 0, a slot of -1 and the like survive some damages unchanged; replay_damaged says so.
inline void reject_every_damage(const Scenario& scenario, const Subject& subject) {
  validate(scenario);
  const std::unique_ptr<Inputs> inputs = make_case(scenario);
  const std::unique_ptr<World> world = make_sim_world(2, 1);
  const StageContracts contracts = contracts_of(subject, {});
  Accelerator* accelerator = subject.memory().is_host() ? nullptr : &cuda::accelerator();
  TapRecording recording;
  Pipeline(*inputs, *world, subject).run(recording);

  Judge clean(*inputs, contracts, accelerator);
  recording.replay(clean);
  const Verdict verdict = clean.verdict();
  ASSERT_TRUE(verdict.pass) << verdict.blame->sentence;
  for (const TapResult& tap : verdict.taps) {
    // Where probabilities are rounded to 16 bits, partial_o of a long context is reported as blind:
    // what follows shows that these damages are seen all the same.
    const bool rounded = contracts[HXC_ATTEND]->p_model && tap.tap == Tap::partial_o;
    EXPECT_LE(tap.blindness, rounded ? 0.05 : kBlind)
        << short_name(scenario) << " " << name_of(tap.tap);
  }

  for (int i = 0; i < kTapCount; ++i) {
    const auto tap = static_cast<Tap>(i);
    const bool given = tap == Tap::block_table || tap == Tap::cache_spare ||
                       tap == Tap::cache_late ||
                       (scenario.problem.entry == Entry::core && stage_of(tap) == Stage::project);
    if (given || !recording.last_taps()[static_cast<std::size_t>(i)].present) continue;
    for (const Damage damage : {Damage::zeros, Damage::sign_flip, Damage::gain}) {
      Judge judge(*inputs, contracts, accelerator);
      if (!recording.replay_damaged(judge, tap, damage)) continue;
      const Verdict damaged = judge.verdict();
      EXPECT_FALSE(damaged.pass) << label(scenario, tap, damage);
      if (damaged.pass) continue;
      EXPECT_EQ(damaged.blame->tap, tap)
          << label(scenario, tap, damage) << ": " << damaged.blame->sentence;
    }
  }
}

}  // namespace helixcheck
