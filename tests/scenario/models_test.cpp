// Shapes of published models, and what applying one leaves alone.

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

TEST(Models, AreValidOnTwoRanks) {
  EXPECT_EQ(model_shapes().size(), 8u);
  for (const ModelShape& shape : model_shapes()) {
    Scenario s;
    apply_model(shape.name, s.problem);
    EXPECT_EQ(s.problem, shape.problem);
    EXPECT_EQ(find_error(s), std::nullopt) << shape.name;
  }
}

TEST(Models, HaveTheirPublishedShapes) {
  Problem p;
  apply_model("deepseek-v3", p);
  EXPECT_EQ(p.num_heads * (p.qk_nope_head_dim + p.qk_rope_head_dim), 24576);
  ASSERT_TRUE(p.rope_scaling.has_value());
  EXPECT_EQ(p.rope_scaling->factor, 40);
  EXPECT_EQ(p.rope_scaling->mscale_all_dim, 1.0);
  apply_model("deepseek-v2-lite", p);
  EXPECT_EQ(p.q_lora_rank, 0);
  EXPECT_EQ(p.rope_scaling->mscale, 0.707);
  apply_model("kimi-k2", p);
  EXPECT_EQ(p.rope_theta, 5e4);
  EXPECT_EQ(p.rope_scaling->beta_fast, 1);
  apply_model("glm-5", p);
  EXPECT_FALSE(p.rope_scaling.has_value());
  EXPECT_EQ(p.rms_norm_eps, 1e-5);
  EXPECT_EQ(p.rope_theta, 8e6);
  apply_model("glm-4.7-flash", p);
  EXPECT_EQ(p.num_heads, 20);
  EXPECT_EQ(p.v_head_dim, 256);
  apply_model("v3-lite", p);
  EXPECT_EQ(p, Problem{});
}

TEST(Models, KeepWhatIsNoShape) {
  Problem p;
  p.entry = Entry::core;
  p.dtype = Dtype::fp16;
  p.ctx_len = {1, 2};
  p.data.seed = 9;
  p.softmax_scale = 0.5;
  Problem expected = p;
  expected.hidden_size = 2048;
  expected.num_heads = 16;
  expected.rope_scaling = RopeScaling{40, 32, 1, 4096, 0.707, 0.707};
  apply_model("deepseek-v2-lite", p);
  EXPECT_EQ(p, expected);
}

TEST(Models, UnknownOnesAreRefusedWithTheKnownOnes) {
  Problem p;
  try {
    apply_model("deepseek-v4", p);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "unknown model \"deepseek-v4\"; the known ones are deepseek-v2-lite, deepseek-v2, "
              "deepseek-v3, deepseek-r1, v3-lite, kimi-k2, glm-5, glm-4.7-flash");
  }
}

}  // namespace
}  // namespace helixcheck
