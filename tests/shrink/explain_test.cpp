#include "shrink/explain.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "failing.hpp"

namespace helixcheck {
namespace {

Explanation explain_drawn(const Condition& condition, std::uint64_t seed) {
  const FailingWith fails_with = failing_if(condition);
  const ShrinkResult result = shrink(drawn_failing(condition, seed), kWanted, fails_with);
  return explain(result.scenario, kWanted, fails_with);
}

const FieldExplanation& field(const Explanation& explanation, const std::string& path) {
  const auto found = std::find_if(explanation.fields.begin(), explanation.fields.end(),
                                  [&](const FieldExplanation& f) { return f.path == path; });
  if (found == explanation.fields.end()) throw std::runtime_error("no field " + path);
  return *found;
}

TEST(Explain, OneSentence) {
  const Condition condition = [](const Scenario& s) {
    return s.problem.entry != Entry::merge && s.layout.kvp >= 3 &&
           std::all_of(s.problem.ctx_len.begin(), s.problem.ctx_len.end(),
                       [](std::int64_t ctx) { return ctx % 3 == 1; });
  };
  EXPECT_EQ(to_text(explain_drawn(condition, 1)),
            "any batch, entry != merge, ctx_len % 3 == 1, kvp >= 3");
}

TEST(Explain, FieldsThatMatterComeFirst) {
  const Condition condition = [](const Scenario& s) {
    return s.problem.entry == Entry::core && s.layout.lse_form == LseForm::log2 &&
           s.layout.kv_cache_tokens_per_block % 5 != 0;
  };
  const Explanation explanation = explain_drawn(condition, 2);
  EXPECT_EQ(field(explanation, "problem.entry").text, "== core");
  EXPECT_EQ(field(explanation, "layout.lse_form").text, "== log2");
  EXPECT_EQ(field(explanation, "layout.kv_cache_tokens_per_block").text, "% 5 != 0");
  EXPECT_EQ(field(explanation, "layout.kvp").text, "any");
  EXPECT_FALSE(field(explanation, "layout.kvp").matters);
  const auto matters = [](const FieldExplanation& f) { return f.matters; };
  EXPECT_TRUE(std::is_partitioned(explanation.fields.begin(), explanation.fields.end(), matters));
}

TEST(Explain, RealsAndAbsentValues) {
  const Condition flat = [](const Scenario& s) {
    return s.problem.data.logit_gain < 0.3 && !s.problem.softmax_scale;
  };
  const Explanation explanation = explain_drawn(flat, 3);
  EXPECT_EQ(field(explanation, "problem.data.logit_gain").text, "<= 0.25");
  EXPECT_EQ(field(explanation, "problem.softmax_scale").text, "== none");
  EXPECT_EQ(field(explanation, "problem.data.seed").text, "any");
}

TEST(Explain, FailuresOfAnotherKindDoNotCount) {
  const FailingWith fails_with = [](const Scenario& s) -> std::optional<Signature> {
    return s.layout.padding_rows > 2 ? kOther : kWanted;
  };
  EXPECT_EQ(field(explain(Scenario(), kWanted, fails_with), "layout.padding_rows").text, "<= 2");
}

TEST(Explain, LargestSeedIsVariedWithoutOverflow) {
  Scenario s;
  s.problem.data.seed = ~std::uint64_t{0};
  const auto odd = [](const Scenario& candidate) { return candidate.problem.data.seed % 2 == 1; };
  const FieldExplanation seed = field(explain(s, kWanted, failing_if(odd)), "problem.data.seed");
  EXPECT_TRUE(seed.matters);
  EXPECT_TRUE(seed.text.starts_with("one of")) << seed.text;
}

TEST(Explain, CapIsKeptAndNamed) {
  ShrinkLimits limits;
  limits.evaluations = 30;
  const Explanation explanation =
      explain(Scenario(), kWanted, failing_if([](const Scenario&) { return true; }), limits);
  EXPECT_EQ(explanation.evaluations, 30);
  EXPECT_EQ(explanation.stopped_by, "evaluations");
}

}  // namespace
}  // namespace helixcheck
