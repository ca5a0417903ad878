// Children of a pool return text or end the run.

#include "process_pool.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

TEST(ProcessPool, BringsBackWhatEachChildReturns) {
  std::map<std::size_t, std::string> results;
  const std::string here = std::to_string(getpid());
  run_apart(
      7, 3,
      [&](std::size_t i) {
        return std::to_string(getpid()) == here ? "the same process" : std::to_string(i * i);
      },
      [&](std::size_t i, const std::string& text) { results[i] = text; });
  ASSERT_EQ(results.size(), 7u);
  for (const auto& [i, text] : results) EXPECT_EQ(text, std::to_string(i * i));
}

TEST(ProcessPool, SaysThatAChildFailed) {
  const auto run = [](const std::function<std::string(std::size_t)>& work) {
    run_apart(2, 1, work, [](std::size_t, const std::string&) {});
  };
  EXPECT_THROW(run([](std::size_t) -> std::string { std::_Exit(3); }), ResourceError);
  EXPECT_THROW(run([](std::size_t) -> std::string { throw InputError("no"); }), ResourceError);
  EXPECT_THROW(run([](std::size_t) { return std::string(1 << 16, 'x'); }), ResourceError);
}

}  // namespace
}  // namespace helixcheck
