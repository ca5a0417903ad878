// The field table against the structs: a member added to a struct breaks this file at compile time,
// a member missing in the table fails.

#include "scenario/fields.hpp"

#include <gtest/gtest.h>
#include <set>

#include "scenario/print.hpp"

namespace helixcheck {
namespace {

using Addresses = std::set<const void*>;

template <typename... Member>
Addresses addresses_of(const Member&... members) {
  return {static_cast<const void*>(&members)...};
}

template <typename Block>
Addresses visited(const Block& block) {
  Addresses addresses;
  visit_fields([&addresses](const Field&,
                            const auto& member) { EXPECT_TRUE(addresses.insert(&member).second); },
               block);
  return addresses;
}

TEST(Fields, CoverProblem) {
  const Problem problem;
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = problem;
  EXPECT_EQ(visited(problem),
            addresses_of(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v));
}

TEST(Fields, CoverLayout) {
  const Layout layout;
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = layout;
  EXPECT_EQ(visited(layout), addresses_of(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}

TEST(Fields, CoverRun) {
  const helixcheck::Run run;  // not the member of testing::Test
  const auto& [a, b, c, d, e, f, g, h, i, j] = run;
  EXPECT_EQ(visited(run), addresses_of(a, b, c, d, e, f, g, h, i, j));
}

TEST(Fields, CoverTheNestedBlocks) {
  const Data data;
  const auto& [a, b, c, d, e, f, g, h] = data;
  EXPECT_EQ(visited(data), addresses_of(a, b, c, d, e, f, g, h));
  const RopeScaling scaling;
  const auto& [i, j, k, l, m, n] = scaling;
  EXPECT_EQ(visited(scaling), addresses_of(i, j, k, l, m, n));
  const HeavyKey key;
  const auto& [o, p, q, r] = key;
  EXPECT_EQ(visited(key), addresses_of(o, p, q, r));
}

TEST(Fields, OptionNamesAreUniqueAndExplained) {
  std::set<std::string> names;
  for (const ArgumentHelp& argument : scenario_arguments()) {
    EXPECT_TRUE(names.insert(argument.option).second) << argument.option;
    EXPECT_FALSE(argument.help.empty()) << argument.option;
  }
}

}  // namespace
}  // namespace helixcheck
