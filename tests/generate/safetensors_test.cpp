// Reading safetensors files: round trips, every way a file can lie about itself, and random damage.

#include "generate/safetensors.hpp"

#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

class Safetensors : public testing::Test {
 protected:
  Safetensors() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    file_ = std::filesystem::path(testing::TempDir()) /
            fmt::format("helixcheck_{}.safetensors", test->name());
  }
  ~Safetensors() override { std::filesystem::remove(file_); }

  void write_bytes(const std::string& bytes) const {
    std::ofstream(file_, std::ios::binary) << bytes;
  }
  void write_file(const std::string& header, const std::string& data) const {
    const std::uint64_t length = header.size();
    std::string prefix(8, '\0');
    std::memcpy(prefix.data(), &length, 8);
    write_bytes(prefix + header + data);
  }
  // The sentence with which the file is refused, without the part that names it; "" = accepted.
  std::string refusal() const {
    try {
      const SafetensorsFile file(file_);
      return "";
    } catch (const InputError& error) {
      const std::string start = fmt::format("safetensors file '{}' ", file_.string());
      EXPECT_EQ(std::string(error.what()).rfind(start, 0), 0u) << error.what();
      return std::string(error.what()).substr(start.size());
    }
  }
  std::string refusal(const std::string& header, const std::string& data) const {
    write_file(header, data);
    return refusal();
  }

  std::filesystem::path file_;
};

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

TEST_F(Safetensors, WhatIsWrittenIsRead) {
  const std::vector<double> doubles{1.5, -2.25, 1e300, 0, -0.0, 3};
  const std::vector<float> floats{1.0f, 2.5f};
  const std::vector<std::uint16_t> bf16{0x3f80, 0xc000};
  const std::vector<std::uint16_t> fp16{0x3c00};
  const std::vector<std::uint8_t> fp8{0x38, 0x7e, 0x80};
  const std::vector<std::int64_t> integers{-1};
  SafetensorsWriter writer;
  writer.add("z \"quoted\"", "F64", {2, 3}, bytes_of(doubles));
  writer.add("floats", "F32", {2}, bytes_of(floats));
  writer.add("bf16", "BF16", {1, 2, 1}, bytes_of(bf16));
  writer.add("fp16", "F16", {}, bytes_of(fp16));  // a scalar
  writer.add("fp8", "F8_E4M3", {3}, bytes_of(fp8));
  writer.add("integers", "I64", {1}, bytes_of(integers));
  writer.add("empty", "F32", {4, 0}, {});
  writer.write(file_);
  const SafetensorsFile file(file_);
  EXPECT_EQ(file.tensors().size(), 7u);
  EXPECT_EQ(file.values("z \"quoted\""), doubles);
  EXPECT_EQ(file.values("floats"), (std::vector<double>{1.0, 2.5}));
  EXPECT_EQ(file.values("bf16"), (std::vector<double>{1.0, -2.0}));
  EXPECT_EQ(file.values("fp16"), (std::vector<double>{1.0}));
  EXPECT_EQ(file.values("fp8"), (std::vector<double>{1.0, 448.0, -0.0}));
  EXPECT_TRUE(file.values("empty").empty());
  EXPECT_EQ(file.at("z \"quoted\"").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.at("integers").elements(), 1);
  EXPECT_EQ(file.at("integers").dtype, "I64");
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".tmp"));
}

TEST_F(Safetensors, ValuesThatAreNotThereAreNamed) {
  SafetensorsWriter writer;
  const std::vector<std::int64_t> integers{1};
  writer.add("counts", "I64", {1}, bytes_of(integers));
  writer.write(file_);
  const SafetensorsFile file(file_);
  const auto sentence = [&](const std::string& name) -> std::string {
    try {
      file.values(name);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(sentence("absent"),
            fmt::format("safetensors file '{}' has no tensor 'absent'", file_.string()));
  EXPECT_EQ(sentence("counts"),
            fmt::format("tensor 'counts' of safetensors file '{}' is I64, but must be F64, F32, "
                        "F16, BF16 or F8_E4M3",
                        file_.string()));
  EXPECT_FALSE(file.contains("absent"));
}

TEST_F(Safetensors, MetadataIsSkipped) {
  EXPECT_EQ(refusal(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[1],)"
                    R"("data_offsets":[0,1]}}   )",
                    "x"),
            "");
  EXPECT_FALSE(SafetensorsFile(file_).contains("__metadata__"));
}

TEST_F(Safetensors, LengthsThatDoNotFitAreRefused) {
  EXPECT_EQ(refusal(), "cannot be read");  // absent
  write_bytes("1234567");
  EXPECT_EQ(refusal(), "is shorter than the 8 bytes of its header length");
  write_bytes(std::string("\x03\0\0\0\0\0\0\0{}", 10));
  EXPECT_EQ(refusal(), "claims a header of 3 bytes, more than it has or may have");
  write_bytes(std::string(8, '\xff') + "{}");
  EXPECT_EQ(refusal(),
            "claims a header of 18446744073709551615 bytes, more than it has or may have");
  write_bytes(std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Safetensors, BadHeadersAreRefused) {
  EXPECT_NE(refusal("{", "").find("has a header that is not JSON: "), std::string::npos);
  EXPECT_NE(refusal("", "").find("has a header that is not JSON: "), std::string::npos);
  EXPECT_NE(refusal("{\"\xff\":0}", "").find("has a header that is not JSON: "), std::string::npos);
  EXPECT_EQ(refusal("[]", ""), "has a header that is not a JSON object");
  EXPECT_EQ(refusal(std::string(200000, '['), ""),
            "has a header nested deeper than the format allows");
  const std::string a = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_EQ(refusal("{" + a + "}", "x"), "");
  EXPECT_EQ(refusal("{" + a + "," + a + "}", "x"), "has the name 'a' twice in its header");
  EXPECT_EQ(refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x"),
            "has the name 'dtype' twice in its header");
}

// Each entry breaks one rule; the data are four bytes.
TEST_F(Safetensors, BadEntriesAreRefused) {
  const auto entry = [&](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return refusal(fmt::format(R"({{"t":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype,
                               shape, offsets),
                   "1234");
  };
  const std::string at = "is wrong at tensor 't': ";
  EXPECT_EQ(entry("\"F32\"", "[1]", "[0,4]"), "");
  EXPECT_EQ(entry("\"F32\"", "[]", "[0,4]"), "");
  EXPECT_EQ(entry("7", "[1]", "[0,4]"), at + "dtype must be a string");
  EXPECT_EQ(entry("\"F31\"", "[1]", "[0,4]"), at + "dtype 'F31' is not known");
  const std::string sizes = " must be a list of integers from 0 to 2^63 - 1";
  for (const std::string shape : {"[-1]", "[1.0]", "[9223372036854775808]", "1", "[true]", "{}",
                                  "[18446744073709551616]", "null"}) {
    EXPECT_EQ(entry("\"F32\"", shape, "[0,4]"), at + "shape" + sizes) << shape;
    EXPECT_EQ(entry("\"F32\"", "[1]", shape), at + "data_offsets" + sizes) << shape;
  }
  EXPECT_EQ(entry("\"F32\"", "[1]", "[0]"), at + "data_offsets must be two numbers");
  const std::string within = " must be ascending and within the 4 bytes of data";
  EXPECT_EQ(entry("\"F32\"", "[1]", "[0,5]"), at + "data_offsets [0, 5]" + within);
  EXPECT_EQ(entry("\"F32\"", "[1]", "[4,0]"), at + "data_offsets [4, 0]" + within);
  EXPECT_EQ(entry("\"F32\"", "[2]", "[0,4]"),
            at + "a F32 tensor of shape [2] does not take the 4 bytes of its data_offsets");
  for (const std::string shape : {"[4294967296, 4294967297]", "[0]", "[4611686018427387905]"}) {
    EXPECT_EQ(
        entry("\"F32\"", shape, "[0,4]"),
        at + "a F32 tensor of shape " + shape + " does not take the 4 bytes of its data_offsets");
  }
  const std::string exactly = at + "its entry must have exactly dtype, shape and data_offsets";
  EXPECT_EQ(refusal(R"({"t":{"dtype":"U8","shape":[4]}})", "1234"), exactly);
  EXPECT_EQ(refusal(R"({"t":[]})", "1234"), exactly);
  EXPECT_EQ(refusal(R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":0}})", "1234"),
            exactly);
}

TEST_F(Safetensors, TensorsMustTileTheData) {
  const auto two = [&](int a0, int a1, int b0, int b1, const std::string& data) {
    const std::string header =
        fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)"
                    R"("b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                    a1 - a0, a0, a1, b1 - b0, b0, b1);
    return refusal(header, data);
  };
  EXPECT_EQ(two(0, 2, 2, 4, "1234"), "");
  EXPECT_EQ(two(2, 4, 0, 2, "1234"), "");
  EXPECT_EQ(two(0, 4, 4, 4, "1234"), "");
  EXPECT_EQ(two(0, 3, 2, 4, "1234"),
            "is wrong at tensor 'b': its bytes overlap those of another tensor");
  EXPECT_EQ(two(0, 1, 2, 4, "1234"),
            "is wrong at tensor 'b': bytes before its own belong to no tensor");
  EXPECT_EQ(two(0, 2, 2, 3, "1234"), "has bytes at its end that belong to no tensor");
}

// Any damage is either harmless or refused; nothing else is thrown, nothing is read out of bounds
// (which sanitizers would see).
TEST_F(Safetensors, RandomDamageIsHarmlessOrRefused) {
  SafetensorsWriter writer;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  writer.add("weight", "F32", {2, 3}, bytes_of(floats));
  writer.add("bias", "F32", {6}, bytes_of(floats));
  writer.write(file_);
  std::string good(std::filesystem::file_size(file_), '\0');
  std::ifstream(file_, std::ios::binary).read(good.data(), std::ssize(good));
  std::mt19937 words(5);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (unsigned n = 1 + words() % 3; n > 0; --n) {
      bad[words() % (good.size() - 40)] =
          static_cast<char>(words() % 3 == 0 ? words() : '0' + words() % 10);
    }
    if (words() % 4 == 0) bad.resize(words() % good.size());
    write_bytes(bad);
    if (!refusal().empty()) {
      ++refused;
      continue;
    }
    const SafetensorsFile file(file_);
    for (const auto& [name, tensor] : file.tensors()) {
      EXPECT_LE(tensor.bytes.size(), good.size()) << name;
    }
  }
  EXPECT_GT(refused, 1500);
}

TEST_F(Safetensors, AFileThatCannotBeWrittenIsNamed) {
  try {
    SafetensorsWriter().write("/nonexistent/x.safetensors");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "safetensors file '/nonexistent/x.safetensors' cannot be written");
  }
}

}  // namespace
}  // namespace helixcheck
