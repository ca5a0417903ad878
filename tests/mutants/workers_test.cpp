#include "mutants/workers.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

namespace helixcheck {
namespace {

TEST(Workers, DoEachPieceOnce) {
  for (const int jobs : {1, 3}) {
    std::vector<std::atomic<int>> done(100);
    on_workers(jobs, done.size(), [&](std::size_t i) { ++done[i]; });
    for (const std::atomic<int>& count : done) EXPECT_EQ(count, 1);
  }
}

TEST(Workers, PassOnWhatWasThrown) {
  const auto body = [](std::size_t i) {
    if (i == 5) throw std::runtime_error("five");
  };
  EXPECT_THROW(on_workers(2, 10, body), std::runtime_error);
}

}  // namespace
}  // namespace helixcheck
