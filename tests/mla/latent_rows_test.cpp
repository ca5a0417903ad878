#include "mla/latent_rows.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace helixcheck {
namespace {

// Makes rows [draw, index, request] and notes the pieces asked for.
class LatentRowsTest : public testing::Test {
 protected:
  LatentRowsTest()
      : latents_(3, 4, [this](const LatentRows::Piece& piece, std::span<double> rows) {
          made_ += (piece.prompt ? " p" : " g") + std::to_string(piece.index) + "+" +
                   std::to_string(piece.count);
          for (std::int64_t t = 0; t < piece.count; ++t) {
            const auto at = static_cast<std::size_t>(3 * t);
            rows[at] = static_cast<double>(piece.first.draw + t);
            rows[at + 1] = static_cast<double>(piece.index + t);
            rows[at + 2] = static_cast<double>(piece.first.request);
          }
        }) {}

  static Scenario two_requests() {
    Scenario scenario;
    scenario.problem.ctx_len = {6, 2};
    return scenario;
  }

  // Checks every row of a request and returns what had to be made for it.
  std::string rows_of(std::int64_t id) {
    made_.clear();
    const RequestState& request = history_.request(id);
    const double* rows = latents_.rows_of(request);
    for (std::int64_t index = 0; index < request.tokens.size(); ++index) {
      const Token token = request.tokens.at(index);
      EXPECT_EQ(rows[3 * index], static_cast<double>(token.draw));
      EXPECT_EQ(rows[3 * index + 1], static_cast<double>(index));
      EXPECT_EQ(rows[3 * index + 2], static_cast<double>(token.request));
    }
    return made_;
  }

  void apply(StepKind kind, std::vector<std::int64_t> requests,
             std::vector<std::int64_t> tokens = {}) {
    history_.apply({kind, std::move(requests), std::move(tokens)});
  }

  Scenario scenario_ = two_requests();
  History history_{scenario_};
  LatentRows latents_;
  std::string made_;
};

TEST_F(LatentRowsTest, MakesEachRowOnceInChunks) {
  apply(StepKind::join, {0, 1});
  apply(StepKind::decode, {0, 1}, {1, 5});
  EXPECT_EQ(rows_of(0), " p0+4 p4+2 g6+1");
  EXPECT_EQ(rows_of(1), " p0+2 g2+4 g6+1");
  apply(StepKind::decode, {0}, {2});
  EXPECT_EQ(rows_of(0), " g7+2");
  EXPECT_EQ(rows_of(0), "");
  EXPECT_EQ(rows_of(1), "");
}

TEST_F(LatentRowsTest, ReplacesRejectedTokens) {
  apply(StepKind::join, {0});
  apply(StepKind::decode, {0}, {3});
  rows_of(0);
  apply(StepKind::reject, {0}, {2});
  apply(StepKind::decode, {0}, {1});
  EXPECT_EQ(rows_of(0), " g7+1");
  apply(StepKind::reject, {0}, {1});
  EXPECT_EQ(rows_of(0), "");
  apply(StepKind::decode, {0}, {3});
  EXPECT_EQ(rows_of(0), " g7+3");
}

TEST_F(LatentRowsTest, ForksStartFromTheirParent) {
  apply(StepKind::join, {0, 1});
  apply(StepKind::decode, {0}, {1});
  rows_of(0);
  rows_of(1);
  apply(StepKind::fork, {0});
  apply(StepKind::decode, {2, 0}, {1, 2});
  EXPECT_EQ(rows_of(2), " g7+1");
  EXPECT_EQ(rows_of(0), " g7+2");
}

TEST_F(LatentRowsTest, ForgetsFinishedRequests) {
  apply(StepKind::join, {0, 1});
  rows_of(0);
  rows_of(1);
  apply(StepKind::fork, {0});
  apply(StepKind::finish, {0});
  latents_.forget_finished(history_);
  EXPECT_EQ(rows_of(2), " p0+4 p4+2");
  EXPECT_EQ(rows_of(1), "");
}

}  // namespace
}  // namespace helixcheck
