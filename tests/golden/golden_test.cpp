// The reference against an implementation that is not ours: decode outputs of Hugging Face's
// DeepseekV3Attention (float64, with norms, cos and sin, and softmax in float32 as it has them),
// recorded in corpus/golden. HELIXCHECK_GOLDEN_DIR names another folder.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "generate/safetensors.hpp"
#include "generate/tensor_inputs.hpp"
#include "gtest/gtest.h"
#include "mla/reference.hpp"
#include "scenario/error.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

constexpr double kOutputTolerance = 2e-6;   // of the row's largest magnitude
constexpr double kFloat32Tolerance = 1e-6;  // recorded values that upstream keeps in float32
constexpr std::size_t kCases = 16;

std::filesystem::path golden_dir() {
  const char* dir = std::getenv("HELIXCHECK_GOLDEN_DIR");
  return dir != nullptr ? dir : HELIXCHECK_SOURCE_DIR "/corpus/golden";
}

Json load_cases() {
  const std::filesystem::path file = golden_dir() / "golden.json";
  std::ifstream stream(file);
  if (!stream) throw InputError("golden cases: '" + file.string() + "' cannot be read");
  return Json::parse(stream).at("cases");
}

std::optional<RopeScaling> rope_scaling(const Json& rope) {
  if (rope.at("rope_type") == "default") return std::nullopt;
  EXPECT_EQ(rope.at("rope_type"), "yarn");
  RopeScaling yarn;
  yarn.factor = rope.at("factor");
  yarn.beta_fast = rope.at("beta_fast");
  yarn.beta_slow = rope.at("beta_slow");
  yarn.original_max_position_embeddings = rope.at("original_max_position_embeddings");
  yarn.mscale = rope.at("mscale").get<double>();
  yarn.mscale_all_dim = rope.at("mscale_all_dim").get<double>();
  return yarn;
}

Scenario scenario_of(const Json& golden) {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.hidden_size = golden.at("hidden_size");
  p.num_heads = golden.at("num_heads");
  p.q_lora_rank = golden.at("q_lora_rank").is_null() ? 0 : golden.at("q_lora_rank").get<int>();
  p.kv_lora_rank = golden.at("kv_lora_rank");
  p.qk_nope_head_dim = golden.at("qk_nope_head_dim");
  p.qk_rope_head_dim = golden.at("qk_rope_head_dim");
  p.v_head_dim = golden.at("v_head_dim");
  p.rms_norm_eps = golden.at("rms_norm_eps");
  p.rope_interleave = golden.at("rope_interleave");
  p.rope_theta = golden.at("rope_parameters").at("rope_theta");
  p.rope_scaling = rope_scaling(golden.at("rope_parameters"));
  p.dtype = p.kv_cache_dtype = Dtype::fp32;
  p.ctx_len.assign(golden.at("batch"), golden.at("ctx_len"));
  p.decode_steps = golden.at("decode_steps");
  p.data.tensors =
      (golden_dir() / "golden.safetensors").string() + "#" + golden.at("name").get<std::string>();
  scenario.layout.kvp = 1;
  return scenario;
}

// Outputs [batch, decode_steps, D] of the reference.
std::vector<double> reference_outputs(const Inputs& inputs) {
  const Problem& p = inputs.problem();
  std::vector<double> outputs(static_cast<std::size_t>(p.batch() * p.decode_steps * p.hidden_size));
  Reference reference(inputs);
  History history(inputs.scenario());
  std::int64_t decode_step = 0;
  for (const Step& step : expand_script(inputs.scenario())) {
    const std::vector<Row> rows = history.apply(step);
    if (step.kind != StepKind::decode) continue;
    const StepResult result = reference.step(history, rows);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto from = result.output.begin() + static_cast<std::int64_t>(r) * p.hidden_size;
      std::copy_n(
          from, p.hidden_size,
          outputs.begin() + (rows[r].request * p.decode_steps + decode_step) * p.hidden_size);
    }
    ++decode_step;
  }
  return outputs;
}

// Largest error of any row of `width` values, relative to the row's largest expected magnitude.
double worst_relative_error(const std::vector<double>& actual, const std::vector<double>& expected,
                            std::size_t width) {
  double worst = 0;
  for (std::size_t begin = 0; begin < expected.size(); begin += width) {
    double error = 0, magnitude = 0;
    for (std::size_t i = begin; i < begin + width; ++i) {
      error =
          std::fmax(error, std::isnan(actual[i]) ? INFINITY : std::fabs(actual[i] - expected[i]));
      magnitude = std::fmax(magnitude, std::fabs(expected[i]));
    }
    worst = std::fmax(worst, error / magnitude);
  }
  return worst;
}

TEST(Golden, AllCasesArePresent) {
  EXPECT_EQ(load_cases().size(), kCases);
}

TEST(Golden, RopeTablesAgree) {
  for (const Json& golden : load_cases()) {
    SCOPED_TRACE(golden.at("name"));
    const RopeTable table = resolve_rope(scenario_of(golden).problem);
    const double softmax_scale = golden.at("softmax_scale");
    const std::vector<double> inv_freq = golden.at("inv_freq");
    EXPECT_NEAR(table.softmax_scale, softmax_scale, 1e-14 * softmax_scale);
    EXPECT_NEAR(table.cos_scale, golden.at("rope_attention_scaling"), 1e-14);
    ASSERT_EQ(table.inv_freq.size(), inv_freq.size());
    for (std::size_t j = 0; j < inv_freq.size(); ++j) {
      EXPECT_NEAR(table.inv_freq[j], inv_freq[j], kFloat32Tolerance * inv_freq[j]) << j;
    }
  }
}

TEST(Golden, DecodeOutputsAgree) {
  const SafetensorsFile file(golden_dir() / "golden.safetensors");
  for (const Json& golden : load_cases()) {
    const std::string name = golden.at("name");
    SCOPED_TRACE(name);
    const Scenario scenario = scenario_of(golden);
    ASSERT_EQ(find_error(scenario), std::nullopt);
    const std::vector<double> expected = file.values(name + ".decode_output");
    const std::vector<double> actual = reference_outputs(TensorInputs(scenario));
    ASSERT_EQ(actual.size(), expected.size());
    const double error = worst_relative_error(
        actual, expected, static_cast<std::size_t>(scenario.problem.hidden_size));
    fmt::print("{}  worst relative error {:.2e}\n", name, error);
    EXPECT_LE(error, kOutputTolerance);
  }
}

// The comparison has the power to see a wrong reference: each of these is a plausible mistake.
TEST(Golden, WrongConventionsAreSeen) {
  const SafetensorsFile file(golden_dir() / "golden.safetensors");
  const Json golden = load_cases().at(1);  // q_lora, YaRN with cos_scale != 1, halves
  const auto error_with = [&](auto change) {
    Scenario scenario = scenario_of(golden);
    change(scenario.problem);
    return worst_relative_error(
        reference_outputs(TensorInputs(scenario)),
        file.values(golden.at("name").get<std::string>() + ".decode_output"),
        static_cast<std::size_t>(scenario.problem.hidden_size));
  };
  EXPECT_GT(error_with([](Problem& p) { p.rope_interleave = !p.rope_interleave; }), 1e-4);
  EXPECT_GT(error_with([](Problem& p) { p.rope_scaling->mscale.reset(); }), 1e-4);
  EXPECT_GT(error_with([](Problem& p) { p.rope_scaling->original_max_position_embeddings = 4096; }),
            1e-4);
  EXPECT_GT(error_with([](Problem& p) { p.softmax_scale = 0.18; }), 1e-4);
  EXPECT_GT(error_with([](Problem& p) { p.rms_norm_eps = 1e-3; }), 1e-5);
}

std::string refusal(const std::filesystem::path& file) {
  Scenario scenario = scenario_of(load_cases().at(0));
  scenario.problem.data.tensors = file.string() + "#hf07_00";
  try {
    const TensorInputs inputs(scenario);
    return "accepted";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Golden, MissingAndTruncatedFilesAreRefusedByName) {
  EXPECT_EQ(refusal("/nonexistent/golden.safetensors"),
            "safetensors file '/nonexistent/golden.safetensors' cannot be read");
  const auto copy = std::filesystem::path(testing::TempDir()) / "truncated.safetensors";
  std::filesystem::copy_file(golden_dir() / "golden.safetensors", copy,
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(copy, std::filesystem::file_size(copy) - 1);
  const std::string sentence = refusal(copy);
  EXPECT_NE(sentence.find(copy.string()), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("data_offsets"), std::string::npos) << sentence;
  std::filesystem::remove(copy);
}

}  // namespace
}  // namespace helixcheck
