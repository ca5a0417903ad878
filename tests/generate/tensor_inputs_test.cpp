// Cases read from a file: which value ends where, and which files do not fit a scenario.

#include "generate/tensor_inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <map>
#include <utility>

#include "gtest/gtest.h"
#include "mla/formats.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

struct Stored {
  std::vector<std::int64_t> shape;
  double first = 0;  // element i is first + i / 64
};
using Layer = std::map<std::string, Stored>;

// D 4, H 2, R 3, N 2, P 2, Vd 1; two requests with five tokens each.
Layer small_layer() {
  return {{"hidden_states", {{2, 5, 4}, 0}},
          {"weight.q_proj.weight", {{8, 4}, 1}},
          {"weight.kv_a_proj_with_mqa.weight", {{5, 4}, 2}},
          {"weight.kv_a_layernorm.weight", {{3}, 3}},
          {"weight.kv_b_proj.weight", {{6, 3}, 4}},
          {"weight.o_proj.weight", {{4, 2}, 5}}};
}

class TensorInputsTest : public testing::Test {
 protected:
  TensorInputsTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    file_ = std::filesystem::path(testing::TempDir()) /
            fmt::format("helixcheck_inputs_{}.safetensors", test->name());
    Problem& p = scenario_.problem;
    p.hidden_size = 4;
    p.num_heads = p.qk_nope_head_dim = p.qk_rope_head_dim = 2;
    p.kv_lora_rank = 3;
    p.v_head_dim = 1;
    p.dtype = p.kv_cache_dtype = Dtype::fp16;
    p.ctx_len = {3, 4};
    p.data.tensors = file_.string();
  }
  ~TensorInputsTest() override { std::filesystem::remove(file_); }

  void write(const Layer& layer, const std::string& prefix = "") const {
    SafetensorsWriter writer;
    for (const auto& [name, stored] : layer) {
      std::int64_t count = 1;
      for (const std::int64_t size : stored.shape) count *= size;
      std::vector<double> values;
      for (std::int64_t i = 0; i < count; ++i) {
        values.push_back(stored.first + static_cast<double>(i) / 64);
      }
      writer.add(prefix + name, "F64", stored.shape, std::as_bytes(std::span(values)));
    }
    writer.write(file_);
  }
  std::string refusal() const {
    try {
      const TensorInputs inputs(scenario_);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  std::filesystem::path file_;
  Scenario scenario_;
};

TEST_F(TensorInputsTest, ValuesArriveWhereTheyBelong) {
  write(small_layer());
  const TensorInputs inputs(scenario_);
  EXPECT_EQ(widen(inputs.weights().q_b)[5], 1 + 5.0 / 64);
  EXPECT_EQ(widen(inputs.weights().kv_a)[5], 2 + 5.0 / 64);
  EXPECT_EQ(widen(inputs.weights().kv_a_norm)[2], 3 + 2.0 / 64);
  EXPECT_EQ(widen(inputs.weights().kv_b)[5], 4 + 5.0 / 64);
  EXPECT_EQ(widen(inputs.weights().o)[5], 5 + 5.0 / 64);
  EXPECT_TRUE(inputs.weights().q_a.empty());
  EXPECT_EQ(inputs.rope().inv_freq.size(), 1u);
  Tensor states(Dtype::fp16, {2, 4});
  inputs.hidden({1, 3}, 2, states.bytes.data());  // draws 3 and 4 of request 1
  const std::vector<double> values = widen(states);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(values[i], static_cast<double>(32 + i) / 64);
}

TEST_F(TensorInputsTest, LoraQueriesAndPrefixes) {
  Layer layer = small_layer();
  layer.erase("weight.q_proj.weight");
  layer["weight.q_a_proj.weight"] = {{6, 4}, 7};
  layer["weight.q_a_layernorm.weight"] = {{6}, 8};
  layer["weight.q_b_proj.weight"] = {{8, 6}, 9};
  write(layer, "layers.0.");
  scenario_.problem.q_lora_rank = 6;
  scenario_.problem.data.tensors += "#layers.0";
  const TensorInputs inputs(scenario_);
  EXPECT_EQ(widen(inputs.weights().q_a)[1], 7 + 1.0 / 64);
  EXPECT_EQ(widen(inputs.weights().q_a_norm)[1], 8 + 1.0 / 64);
  EXPECT_EQ(widen(inputs.weights().q_b)[1], 9 + 1.0 / 64);
  scenario_.problem.data.tensors = file_.string() + "#layers.1";
  EXPECT_EQ(refusal(), fmt::format("safetensors file '{}' has no tensor "
                                   "'layers.1.weight.q_a_proj.weight'",
                                   file_.string()));
}

TEST_F(TensorInputsTest, ValuesAreRoundedToTheScenariosDtype) {
  Layer layer = small_layer();
  layer["weight.o_proj.weight"].first = 1 + 0x1p-9;  // half an ulp of bf16 below its neighbour
  write(layer);
  scenario_.problem.dtype = scenario_.problem.kv_cache_dtype = Dtype::bf16;
  const TensorInputs inputs(scenario_);
  EXPECT_EQ(inputs.weights().o.dtype, Dtype::bf16);
  EXPECT_EQ(widen(inputs.weights().o)[0], 1.0);
}

// Every tensor in turn gets one row too many.
TEST_F(TensorInputsTest, EveryShapeIsChecked) {
  for (const auto& [name, stored] : small_layer()) {
    if (name == "hidden_states") continue;
    Layer layer = small_layer();
    ++layer[name].shape[0];
    write(layer);
    EXPECT_EQ(refusal(),
              fmt::format("tensor '{}' has shape [{}], but the scenario needs [{}]", name,
                          fmt::join(layer[name].shape, ", "), fmt::join(stored.shape, ", ")));
  }
  Layer layer = small_layer();
  layer["hidden_states"].shape = {1, 5, 4};
  write(layer);
  EXPECT_EQ(refusal(),
            "tensor 'hidden_states' has shape [1, 5, 4], but the scenario needs [>= 2, tokens, 4]");
  layer["hidden_states"].shape = {2, 5, 3};
  write(layer);
  EXPECT_EQ(refusal(),
            "tensor 'hidden_states' has shape [2, 5, 3], but the scenario needs [>= 2, tokens, 4]");
}

TEST_F(TensorInputsTest, TheScriptMustFindItsTokens) {
  write(small_layer());
  const std::string held =
      " (counted from 0), but tensor 'hidden_states' holds 5 tokens of each of 2 requests";
  scenario_.problem.decode_steps = 2;  // request 1 reaches its sixth token
  EXPECT_EQ(refusal(), "the script needs token 5 of request 1" + held);
  scenario_.problem.decode_steps = 1;
  EXPECT_EQ(refusal(), "");
  scenario_.problem.ctx_len = {3, 6};
  EXPECT_EQ(refusal(), "the script needs token 5 of request 1" + held);
  scenario_.problem.ctx_len = {3, 4};
  scenario_.script = {
      {StepKind::join, {}, {}}, {StepKind::fork, {0}, {}}, {StepKind::decode, {2}, {1}}};
  EXPECT_EQ(refusal(), "the script needs token 0 of request 2" + held);
  scenario_.script = {{StepKind::join, {}, {}},
                      {StepKind::decode, {1}, {1}},
                      {StepKind::reject, {1}, {1}},
                      {StepKind::decode, {1}, {1}}};
  EXPECT_EQ(refusal(), "the script needs token 5 of request 1" + held);  // a new draw
}

TEST_F(TensorInputsTest, OnlyLayersWithComputedPromptsAreServed) {
  write(small_layer());
  const std::string rule =
      "data.tensors is set: a tensor file serves entry 'layer' with prompt 'computed' only";
  scenario_.problem.prompt = Prompt::given;
  EXPECT_EQ(refusal(), rule);
  scenario_.problem.prompt = Prompt::computed;
  scenario_.problem.entry = Entry::core;
  EXPECT_EQ(refusal(), rule);
}

}  // namespace
}  // namespace helixcheck
