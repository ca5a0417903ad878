#include "mla/row_source.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

std::vector<double> read(const RowSource& source, std::int64_t row, std::int64_t column,
                         std::size_t count) {
  std::vector<double> out(count);
  source.read(row, column, out);
  return out;
}

using Values = std::vector<double>;

TEST(RowSource, ReadsDoublesAcrossRows) {
  const Values values{0, 1, 2, 10, 11, 12, 20, 21, 22};
  const RowSource source(values.data(), 3);
  EXPECT_EQ(source.width(), 3);
  EXPECT_EQ(read(source, 1, 1, 4), (Values{11, 12, 20, 21}));
  EXPECT_EQ(read(source.without_first(1).without_first(1), 0, 0, 2), (Values{20, 21}));
}

TEST(RowSource, WidensAndScalesCodes) {
  const Values values{0.5, 1, 2, -10, 11, 12};
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    std::vector<std::byte> codes(values.size() * size_of(dtype));
    encode_from(dtype, std::span<const double>(values), codes.data());
    const RowSource source(dtype, codes.data(), 3, 0.25);
    EXPECT_EQ(read(source, 0, 2, 2), (Values{0.5, -2.5}));
    EXPECT_EQ(read(source.without_first(1), 0, 2, 1), (Values{3}));
  }
}

}  // namespace
}  // namespace helixcheck
