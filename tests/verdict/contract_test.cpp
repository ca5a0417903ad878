// The presets: known names, and `unknown` at least as wide as any other in every bound.

#include "verdict/contract.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "verdict/bounds.hpp"

namespace helixcheck {
namespace {

TEST(Contract, PresetsAreFoundByName) {
  for (const char* name :
       {"cpu", "cpu_p16", "cuda", "cuda_agrs", "flashmla", "flashinfer", "trtllm", "unknown"}) {
    EXPECT_EQ(find_contract(name).name, name);
    EXPECT_FALSE(find_contract(name).about.empty());
  }
  EXPECT_EQ(contracts().size(), 8u);
}

TEST(Contract, AnUnknownNameListsTheKnownOnes) {
  try {
    find_contract("gpu");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "contract 'gpu' is not known; the known ones are cpu, cpu_p16, cuda, "
                 "cuda_agrs, flashmla, flashinfer, trtllm, unknown");
  }
}

bounds::AttendFacts facts(std::int64_t visible, double scale, Dtype dtype, bool independent) {
  bounds::AttendFacts f;
  f.head = {2.0 + std::log(static_cast<double>(visible)), 3.0, 2.0 / static_cast<double>(visible),
            scale, 1.5};
  f.visible = visible;
  f.width = 576;
  f.dtype = dtype;
  f.independent = independent;
  return f;
}

TEST(Contract, UnknownCoversAllOthers) {
  const Contract& wide = find_contract("unknown");
  for (const Contract& c : contracts()) {
    if (c.merge_in_model_dtype) continue;  // `unknown` does not cover transports that add codes
    SCOPED_TRACE(c.name);
    for (const std::int64_t n : {1, 7, 64, 2560}) {
      for (const Dtype dtype : {Dtype::bf16, Dtype::fp32}) {
        EXPECT_LE(bounds::linear_factor(c, dtype, n), bounds::linear_factor(wide, dtype, n));
      }
      EXPECT_LE(bounds::rms_norm_factor(c, Dtype::bf16, n),
                bounds::rms_norm_factor(wide, Dtype::bf16, n));
      EXPECT_LE(bounds::rope_factor(c, 100 * n, 0.3, 1.2),
                bounds::rope_factor(wide, 100 * n, 0.3, 1.2));
      EXPECT_LE(bounds::all_reduce_factor(c, Dtype::fp16, n),
                bounds::all_reduce_factor(wide, Dtype::fp16, n));
      for (const double scale : {0.0, 5.0, 60.0}) {
        for (const bool independent : {false, true}) {
          const auto f = facts(n, scale, Dtype::bf16, independent);
          EXPECT_LE(bounds::attend_lse(c, f), bounds::attend_lse(wide, f));
          EXPECT_LE(bounds::attend_value(c, f)(2.0, 0.1, 20.0),
                    bounds::attend_value(wide, f)(2.0, 0.1, 20.0));
          EXPECT_LE(bounds::one_hot_factor(c, f), bounds::one_hot_factor(wide, f));
        }
      }
    }
    for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
      const bounds::MergeFacts m{8, 5.0, 5.0, 3.0, form, Dtype::bf16};
      EXPECT_LE(bounds::merge(c, m).magnitude, bounds::merge(wide, m).magnitude);
      EXPECT_LE(bounds::merge(c, m).spread, bounds::merge(wide, m).spread);
      EXPECT_LE(bounds::merge(c, m).lse, bounds::merge(wide, m).lse);
    }
    EXPECT_LE(c.empty, wide.empty);
  }
}

}  // namespace
}  // namespace helixcheck
