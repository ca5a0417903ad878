// Who watches a simulated world from outside learns where it is, in every world and thread.

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "world/world.hpp"

namespace helixcheck {
namespace {

struct Told {
  std::string stage;
  std::int64_t step;
  bool harness;
  std::thread::id thread;
};
std::vector<Told> told;

void listen(std::string_view stage, std::int64_t step, bool harness) {
  told.push_back({std::string(stage), step, harness, std::this_thread::get_id()});
}

void listen_elsewhere(std::string_view, std::int64_t, bool) {}

class StageListeners : public testing::Test {
 protected:
  StageListeners() { told.clear(); }
  ~StageListeners() override { tell_stages_of_sim_worlds(nullptr); }
};

TEST_F(StageListeners, HearOfStagesAndOfOtherWork) {
  const auto world = make_sim_world(2, 1);
  tell_stages_of_sim_worlds(listen);
  world->enter("attend", 3);
  world->enter_harness("judge", 4);
  make_sim_world(1, 2)->enter("plan", 0);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].stage, "attend");
  EXPECT_EQ(told[0].step, 3);
  EXPECT_FALSE(told[0].harness);
  EXPECT_EQ(told[1].stage, "judge");
  EXPECT_EQ(told[1].step, 4);
  EXPECT_TRUE(told[1].harness);
  EXPECT_EQ(told[2].stage, "plan") << "of whatever world";
}

TEST_F(StageListeners, AreCalledWhereTheWorldRuns) {
  tell_stages_of_sim_worlds(listen);
  std::thread::id runs;
  std::thread([&runs] {
    runs = std::this_thread::get_id();
    make_sim_world(1, 1)->enter("output", 1);
  }).join();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].thread, runs);
}

TEST_F(StageListeners, AreOneAtATimeOrNone) {
  const auto world = make_sim_world(1, 1);
  world->enter("attend", 0);
  tell_stages_of_sim_worlds(listen);
  tell_stages_of_sim_worlds(listen_elsewhere);
  world->enter("attend", 1);
  tell_stages_of_sim_worlds(nullptr);
  world->enter("attend", 2);
  EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace helixcheck
