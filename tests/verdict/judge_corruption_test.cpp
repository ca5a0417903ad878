// Every check must be able to fail: each tap is spoilt in several ways, in every format, and the
// verdict must name that tap.

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "support/random_inputs.hpp"
#include "tiny_run.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {
namespace {

using Ranks = std::vector<TinyRun::RankShown>;
enum class Fault { zeros, sign_flip, gain };

std::int64_t size_of_shown(const TinyRun::Shown& shown) {
  return shown.view.elements();
}

void spoil(TinyRun::Shown& shown, Fault fault) {
  for (std::int64_t i = 0; i < size_of_shown(shown); ++i) {
    const double x = shown.value(i);
    if (!std::isfinite(x)) continue;
    shown.set_value(i, fault == Fault::zeros ? 0 : fault == Fault::gain ? 1.05 * x : -x);
  }
}

std::string described(Tap tap, Fault fault, Dtype dtype) {
  return std::string(name_of(tap)) + ", fault " + std::to_string(static_cast<int>(fault)) +
         ", dtype " + std::to_string(static_cast<int>(dtype));
}

void expect_blame(const Verdict& verdict, Tap tap, const std::string& what) {
  ASSERT_FALSE(verdict.pass) << what;
  EXPECT_EQ(verdict.blame->tap, tap) << what << ": " << verdict.blame->sentence;
  EXPECT_EQ(verdict.blame->stage, stage_of(tap));
}

TEST(JudgeCorruption, EveryValueTapIsBlamedForItsOwnFaults) {
  const Tap taps[] = {Tap::q_a,          Tap::q_c,       Tap::q_nope,        Tap::q,
                      Tap::kv_c,         Tap::latent,    Tap::cache_rows,    Tap::partial_o,
                      Tap::lse,          Tap::exchanged, Tap::exchanged_lse, Tap::combined,
                      Tap::combined_lse, Tap::v_up,      Tap::o_partial,     Tap::output};
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    Scenario s = tiny_scenario();
    s.problem.dtype = s.problem.kv_cache_dtype = dtype;
    const RandomInputs inputs(s);
    TinyRun run(inputs);
    for (const Tap tap : taps) {
      for (const Fault fault : {Fault::zeros, Fault::sign_flip, Fault::gain}) {
        const Verdict verdict = run.judged(find_contract("cpu"), [&](std::int64_t, Ranks& ranks) {
          spoil(ranks[1][static_cast<std::size_t>(tap)], fault);
        });
        expect_blame(verdict, tap, described(tap, fault, dtype));
        EXPECT_EQ(verdict.blame->place.rank, 1);
      }
    }
  }
}

TEST(JudgeCorruption, TheWidestContractStillSeesThem) {
  const RandomInputs inputs(tiny_scenario());
  TinyRun run(inputs);
  for (const Tap tap : {Tap::q, Tap::latent, Tap::partial_o, Tap::lse, Tap::combined, Tap::v_up,
                        Tap::o_partial, Tap::output}) {
    for (const Fault fault : {Fault::zeros, Fault::sign_flip, Fault::gain}) {
      const Verdict verdict = run.judged(find_contract("unknown"), [&](std::int64_t, Ranks& ranks) {
        spoil(ranks[2][static_cast<std::size_t>(tap)], fault);
      });
      expect_blame(verdict, tap, described(tap, fault, Dtype::bf16));
    }
  }
}

TEST(JudgeCorruption, PromptRowsAreJudgedAsTheyAreMade) {
  const RandomInputs inputs(tiny_scenario());
  for (const Tap tap : {Tap::kv_c, Tap::latent}) {
    for (const Fault fault : {Fault::zeros, Fault::sign_flip, Fault::gain}) {
      TinyRun run(inputs);
      run.spoil_prompt = [&](std::int64_t, Ranks& ranks) {
        spoil(ranks[3][static_cast<std::size_t>(tap)], fault);
      };
      const Verdict verdict = run.judged(find_contract("cpu"));
      expect_blame(verdict, tap, described(tap, fault, Dtype::bf16));
      EXPECT_EQ(verdict.blame->place.step, 0);
      EXPECT_GE(verdict.blame->place.row, 3);  // rank 3 owns the second half of each prompt
    }
  }
}

TEST(JudgeCorruption, CombineAtCoreAndMerge) {
  for (const Entry entry : {Entry::core, Entry::merge}) {
    for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
      Scenario s = tiny_scenario(entry);
      s.layout.lse_form = form;
      const RandomInputs inputs(s);
      TinyRun run(inputs);
      for (const Tap tap : {Tap::combined, Tap::combined_lse}) {
        for (const Fault fault : {Fault::zeros, Fault::sign_flip, Fault::gain}) {
          const Verdict verdict = run.judged(find_contract("cpu"), [&](std::int64_t, Ranks& ranks) {
            spoil(ranks[0][static_cast<std::size_t>(tap)], fault);
          });
          expect_blame(verdict, tap, described(tap, fault, Dtype::bf16));
        }
      }
    }
  }
}

TEST(JudgeCorruption, EveryIntegerOfThePlanCounts) {
  const RandomInputs inputs(tiny_scenario());
  TinyRun run(inputs);
  for (const Tap tap : {Tap::position, Tap::slot, Tap::local_len, Tap::visible}) {
    for (const std::int64_t by : {-1, 1}) {
      const Verdict verdict = run.judged(find_contract("cpu"), [&](std::int64_t, Ranks& ranks) {
        ranks[2][static_cast<std::size_t>(tap)].integer(1) += by;
      });
      expect_blame(verdict, tap, std::string(name_of(tap)));
      EXPECT_EQ(verdict.blame->place.rank, 2);
    }
  }
}

// 2^-8 is one unit in the last place of the LSE's neighbourhood of 1 in bf16: far below what a
// comparison of outputs sees.
TEST(JudgeCorruption, ASmallErrorOfOneLseIsSeen) {
  for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
    Scenario s = tiny_scenario(Entry::core);
    s.layout.lse_form = form;
    const RandomInputs inputs(s);
    const Verdict verdict =
        TinyRun(inputs).judged(find_contract("cpu"), [&](std::int64_t, Ranks& ranks) {
          TinyRun::Shown& lse = ranks[0][static_cast<std::size_t>(Tap::lse)];
          lse.set_value(0, lse.value(0) + 1e-4);
        });
    expect_blame(verdict, Tap::lse, "lse + 1e-4");
    EXPECT_EQ(verdict.blame->place.head, 0);
    EXPECT_EQ(verdict.blame->place.row, 0);
  }
}

TEST(JudgeCorruption, AnOldCacheRowMustNotChange) {
  Scenario s = tiny_scenario(Entry::core);
  s.problem.decode_steps = 2;
  const RandomInputs inputs(s);
  const Verdict verdict =
      TinyRun(inputs).judged(find_contract("cpu"), [](std::int64_t step, Ranks& ranks) {
        if (step < 2) return;
        ranks[1][static_cast<std::size_t>(Tap::cache_rows)].bytes[2 * 20 * 3] ^= std::byte{1};
      });
  expect_blame(verdict, Tap::cache_rows, "row 3");
  EXPECT_EQ(verdict.blame->place.step, 2);
  EXPECT_EQ(verdict.blame->place.row, 3);
  EXPECT_EQ(verdict.blame->place.element, 0);
  EXPECT_EQ(verdict.blame->place.request, 0);
}

TEST(JudgeCorruption, BytesThatNobodyMayWrite) {
  const RandomInputs inputs(tiny_scenario());
  const Verdict verdict =
      TinyRun(inputs).judged(find_contract("cpu"), [](std::int64_t, Ranks& ranks) {
        ranks[0][static_cast<std::size_t>(Tap::cache_spare)].integer(0) = 40;
        ranks[0][static_cast<std::size_t>(Tap::cache_spare)].integer(1) = 1280;
      });
  expect_blame(verdict, Tap::cache_spare, "spare");
  EXPECT_EQ(verdict.blame->sentence,
            "step 1: append wrote 40 bytes of the cache that it may not write, the first at "
            "offset 1280 on rank 0");
}

TEST(JudgeCorruption, PositiveZeroIsPartOfAnEmptyShard) {
  const RandomInputs inputs(tiny_scenario());
  const Verdict verdict =
      TinyRun(inputs).judged(find_contract("cpu"), [](std::int64_t, Ranks& ranks) {
        TinyRun::Shown& o = ranks[0][static_cast<std::size_t>(Tap::partial_o)];
        o.set_value(size_of_shown(o) - 1, -0.0);  // of the padding row
      });
  expect_blame(verdict, Tap::partial_o, "-0");
}

TEST(JudgeCorruption, RanksMustAgreeOnTheOutput) {
  const RandomInputs inputs(tiny_scenario());
  const Verdict verdict =
      TinyRun(inputs).judged(find_contract("unknown"), [](std::int64_t, Ranks& ranks) {
        ranks[3][static_cast<std::size_t>(Tap::output)].bytes[0] ^= std::byte{1};
      });
  expect_blame(verdict, Tap::output, "one bit on rank 3");
  EXPECT_EQ(verdict.blame->place.rank, 3);
}

TEST(JudgeCorruption, NanIsReportedAsSuch) {
  const RandomInputs inputs(tiny_scenario());
  const Verdict verdict =
      TinyRun(inputs).judged(find_contract("cpu"), [](std::int64_t, Ranks& ranks) {
        ranks[0][static_cast<std::size_t>(Tap::combined)].set_value(
            5, std::numeric_limits<double>::quiet_NaN());
      });
  expect_blame(verdict, Tap::combined, "NaN");
  EXPECT_NE(verdict.blame->sentence.find("step 1: combine wrote combined NaN for request 0, row 0, "
                                         "head 0, element 5 on rank 0; expected "),
            std::string::npos)
      << verdict.blame->sentence;
}

}  // namespace
}  // namespace helixcheck
