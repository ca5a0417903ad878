// Sign patterns lead back to keys; values of no key are not explained.

#include "verdict/null_key.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "generate/case.hpp"

namespace helixcheck {
namespace {

class NullKey : public testing::Test {
 protected:
  NullKey() {
    Scenario s;
    s.problem.entry = Entry::core;
    s.problem.data.family = Family::null_test;
    s.problem.kv_lora_rank = 96;
    s.problem.qk_rope_head_dim = 2;
    s.problem.ctx_len = {5, 2000};
    s.layout.kvp = 4;
    inputs = make_case(s);
    request.id = 1;
    request.prompt_len = 2000;
    request.tokens.append({1, 0}, 2000);
    row = {&request, 2000, -1, 0};
  }
  // factor * the value part of a key.
  std::vector<double> key(std::int64_t index, double factor) const {
    Tensor codes(Dtype::bf16, {98});
    inputs->latent({1, index}, index, 1, codes.bytes.data());
    std::vector<double> values = widen(codes);
    values.resize(96);
    for (double& value : values) value *= factor;
    return values;
  }
  std::string name(const std::vector<double>& values) const {
    return name_null_key(*inputs, row, values);
  }

  std::unique_ptr<Inputs> inputs;
  RequestState request;
  NullRow row;
};

TEST_F(NullKey, OneSignPatternIsALostKeyOrItsNeighbourDoubled) {
  EXPECT_EQ(name(key(1203, -0.001)),
            "the pattern is that of key 1203 of request 1 (rank 2), lost or replaced, or of key "
            "1202 of request 1 (rank 2), doubled");
  row.surplus = -1;
  EXPECT_EQ(name(key(1203, -0.001)), "the pattern is that of key 1203 of request 1 (rank 2), lost");
  row.surplus = 1;
  EXPECT_EQ(name(key(1203, -0.001)),
            "the pattern is that of key 1202 of request 1 (rank 2), doubled");
}

TEST_F(NullKey, ADifferenceIsOneKeyReadInsteadOfAnother) {
  std::vector<double> values = key(40, -1);
  const std::vector<double> other = key(999, 1);
  for (std::size_t j = 0; j < values.size(); ++j) values[j] += other[j];
  EXPECT_EQ(
      name(values),
      "the pattern is that of key 40 of request 1 (rank 0), overwritten by key 999 of request "
      "1 (rank 1), or of key 998 of request 1 (rank 1), overwritten by key 41 of request 1 "
      "(rank 0)");
}

TEST_F(NullKey, KeysOutOfSightAreNotNamed) {
  row.visible = 1200;
  EXPECT_EQ(name(key(1202, -1)), "");
  row.visible = 2000;
  row.kvp_rank = 0;
  EXPECT_EQ(name(key(1202, -1)), "");
}

TEST_F(NullKey, ValuesOfNoKeyAreNotExplained) {
  std::vector<double> values = key(40, 1);
  for (std::size_t j = 0; j < values.size(); j += 2) values[j] = 1;
  EXPECT_EQ(name(values), "");
  EXPECT_EQ(name(std::vector<double>(96, 0.0)), "");
}

}  // namespace
}  // namespace helixcheck
