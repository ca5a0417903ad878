// Tables for people and for programs.

#include "report/table.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

const Table kTable{"things", {"name", "about"}, {{"a", "first"}, {"longer", "second \"one\""}}};

TEST(Table, AlignsItsColumns) {
  EXPECT_EQ(text_of(kTable), "name    about\na       first\nlonger  second \"one\"\n");
}

TEST(Table, IsAnArrayOfObjectsInJson) {
  const std::string json = json_of(std::vector<Table>{kTable});
  EXPECT_NE(json.find("\"things\": ["), std::string::npos);
  EXPECT_NE(json.find("\"about\": \"second \\\"one\\\"\""), std::string::npos);
}

}  // namespace
}  // namespace helixcheck
