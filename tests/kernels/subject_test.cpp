// The CUDA subjects in the pipeline, judged by their contract.

#include "subject/subject.hpp"

#include "generate/scenario_draw.hpp"
#include "kernels/device.hpp"
#include "kernels/small_layer.hpp"
#include "run/run.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

using CudaSubject = OnDevice;

RunResult run_on(const std::string& subject, const Scenario& scenario) {
  validate(scenario);
  const std::unique_ptr<World> world = make_sim_world(scenario);
  return run_scenario(scenario, *world, *find_subject(subject));
}

void expect_pass(const std::string& subject, const Scenario& scenario) {
  const RunResult result = run_on(subject, scenario);
  EXPECT_TRUE(result.verdict.pass) << short_name(scenario) << " on " << subject << ": "
                                   << (result.verdict.blame ? result.verdict.blame->sentence : "");
}

TEST_F(CudaSubject, PassesInEveryFormat) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const Dtype kv : {dtype, Dtype::fp8_e4m3}) {
      Scenario s = small_layer();
      s.problem.dtype = dtype;
      s.problem.kv_cache_dtype = kv;
      if (kv == Dtype::fp8_e4m3) s.problem.kv_scale = 0.3;
      for (const Entry entry : {Entry::layer, Entry::core}) {
        s.problem.entry = entry;
        expect_pass("cuda", s);
        expect_pass("cuda_agrs", s);
      }
      s.problem.entry = Entry::merge;
      s.problem.decode_steps = 1;
      expect_pass("cuda", s);
    }
  }
}

TEST_F(CudaSubject, PassesOnManyRanks) {
  for (const std::int64_t kvp : {1, 2, 3, 4, 6, 12}) {
    Scenario s = small_layer();
    s.layout.kvp = kvp;
    for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
      s.layout.lse_form = form;
      expect_pass("cuda", s);
      expect_pass("cuda_agrs", s);
    }
  }
  Scenario s = small_layer();
  s.problem.entry = Entry::core;
  s.problem.num_heads = 64;
  s.layout.kvp = 64;
  s.problem.ctx_len = {200, 3};
  expect_pass("cuda", s);
  expect_pass("cuda_agrs", s);
}

TEST_F(CudaSubject, PassesAtTheWidthsOfModels) {
  Scenario s;
  s.problem.num_heads = 16;
  s.problem.ctx_len = {700, 64, 1};
  s.problem.predicted_tokens_per_seq = 3;
  s.layout.kv_cache_tokens_per_block = 64;
  expect_pass("cuda", s);
  s.problem.dtype = s.problem.kv_cache_dtype = Dtype::fp16;
  expect_pass("cuda_agrs", s);
}

TEST_F(CudaSubject, ReadsPagesBeyond32BitOffsets) {
  Scenario s = small_layer();
  s.problem.entry = Entry::core;
  s.layout.page_id_base = std::int64_t{1} << 26;
  expect_pass("cuda", s);
}

// Pools that move page by page, and a prompt for which nothing ran.
TEST_F(CudaSubject, StartsFromEmptyPrompts) {
  Scenario s = small_layer();
  s.problem.ctx_len = {0, 3};
  s.layout.kv_cache_tokens_per_block = 4096;
  s.layout.spare_pages = 3;
  expect_pass("cuda", s);
  s.problem.ctx_len = {0};
  expect_pass("cuda", s);
}

TEST_F(CudaSubject, GivesTheSameBitsAgain) {
  const Scenario s = small_layer();
  EXPECT_EQ(run_on("cuda", s).output_hash, run_on("cuda", s).output_hash);
}

TEST_F(CudaSubject, AgreesWithItsBoundsOnDrawnScenarios) {
  for (std::uint64_t i = 0; i < 300; ++i) expect_pass("cuda", draw_scenario(5, i));
}

TEST_F(CudaSubject, IsNoBaseForHostTables) {
  EXPECT_EQ(&find_subject("cuda")->memory(), &cuda::memory());
  EXPECT_EQ(&find_subject("cpu")->memory(), &host_memory());
}

}  // namespace
}  // namespace helixcheck
