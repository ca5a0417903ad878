// Values come back as they were packed, and bytes that end too early are an error.

#include "process/packing.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <optional>

namespace helixcheck {
namespace {

TEST(Packing, ValuesAndTextsComeBackInOrder) {
  const std::string binary("a\0b\xff\n", 5), large(100'000, 'x');
  const std::string bytes = Packer()
                                .value(std::numeric_limits<std::int64_t>::min())
                                .text(binary)
                                .value(-0.0)
                                .text("")
                                .value(true)
                                .text(large)
                                .value(std::optional<int>())
                                .take();
  Unpacker from(bytes);
  EXPECT_EQ(from.value<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(from.text(), binary);
  EXPECT_TRUE(std::signbit(from.value<double>()));
  EXPECT_EQ(from.text(), "");
  EXPECT_TRUE(from.value<bool>());
  EXPECT_EQ(from.text(), large);
  EXPECT_EQ(from.value<std::optional<int>>(), std::nullopt);
  EXPECT_THROW(from.value<char>(), ResourceError) << "there is nothing left";
}

TEST(Packing, WhatIsCutOffIsAnError) {
  const std::string whole = Packer().value(7).text("seven").take();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    Unpacker from(part);
    EXPECT_THROW((from.value<int>(), from.text()), ResourceError) << size << " bytes";
  }
}

TEST(Packing, ALengthBeyondAllBytesIsAnError) {
  for (const std::size_t length : {std::size_t{4}, ~std::size_t{0}, ~std::size_t{0} - 7}) {
    const std::string bytes = Packer().value(length).value('a').value('b').value('c').take();
    Unpacker from(bytes);
    EXPECT_THROW(from.text(), ResourceError) << length;
  }
}

}  // namespace
}  // namespace helixcheck
