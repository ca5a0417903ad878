// Tensors as dense arrays of codes.

#include "mla/inputs.hpp"

#include "gtest/gtest.h"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

TEST(Tensor, HoldsZeroesOfItsShapeAndDtype) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    const Tensor tensor(dtype, {2, 3, 4});
    EXPECT_EQ(tensor.elements(), 24);
    EXPECT_EQ(tensor.bytes.size(), 24 * size_of(dtype));
    EXPECT_EQ(widen(tensor), std::vector<double>(24, 0.0));
  }
}

TEST(Tensor, OneThatAModelLacksIsEmpty) {
  const Tensor absent;
  EXPECT_TRUE(absent.empty());
  EXPECT_EQ(absent.elements(), 0);
  EXPECT_TRUE(widen(absent).empty());
  EXPECT_TRUE(Tensor(Dtype::bf16, {4, 0}).empty());
}

TEST(Tensor, WidensItsCodesInOrder) {
  Tensor tensor(Dtype::bf16, {2, 2});
  const std::vector<double> values{1.0, -2.5, 0.0, 3.0};
  for (std::int64_t i = 0; i < 4; ++i) {
    store_code(Dtype::bf16, tensor.bytes.data(), i,
               encode(Dtype::bf16, values[static_cast<std::size_t>(i)]));
  }
  EXPECT_EQ(widen(tensor), values);
}

}  // namespace
}  // namespace helixcheck
