// Short names: words, readable, and different wherever a field differs.

#include <gtest/gtest.h>
#include <map>

#include "random_scenario.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

TEST(ShortName, IsBatchAndLength) {
  Scenario s;
  EXPECT_EQ(short_name(s), "batch1_ctx1024");
  s.problem.ctx_len.assign(8, 4096);
  EXPECT_EQ(short_name(s), "batch8_ctx4096");
  s.problem.ctx_len[3] = 7;
  EXPECT_EQ(short_name(s), "batch8_ctx4096_ragged");
}

TEST(ShortName, NamesWhatDiffersFromTheDefaults) {
  Scenario s;
  s.problem.q_lora_rank = 1536;
  s.problem.rope_interleave = false;
  s.problem.rope_scaling = RopeScaling{};
  s.problem.rope_scaling->mscale.reset();
  s.problem.dtype = Dtype::fp16;
  s.problem.data.logit_gain = 0.1;
  s.problem.data.heavy.resize(2);
  s.layout.kvp = 4;
  s.layout.tpa = 2;
  s.layout.ownership = Ownership::interleaved;
  s.run.verdict = VerdictRule::mismatch;
  s.run.atol = 0.01;
  s.script.resize(3);
  EXPECT_EQ(short_name(s),
            "batch1_ctx1024_qlora1536_halves_yarn_mscalenone_fp16_gain0p1_heavy2_kvp4_tpa2_"
            "interleaved_mismatch_atol0p01_script3");
}

TEST(ShortName, HasNoTensorPath) {
  Scenario s;
  s.problem.data.tensors = "/tmp/x.safetensors#a";
  EXPECT_EQ(short_name(s), "batch1_ctx1024_tensors");
}

TEST(ShortName, IsAWordAndTellsScenariosApart) {
  ScenarioDrawer drawer(3);
  std::map<std::string, Scenario> seen;
  for (int i = 0; i < 500; ++i) {
    const Scenario s = drawer.draw();
    const std::string name = short_name(s);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_"),
              std::string::npos)
        << name;
    EXPECT_TRUE(seen.emplace(name, s).second) << name;
  }
}

}  // namespace
}  // namespace helixcheck
