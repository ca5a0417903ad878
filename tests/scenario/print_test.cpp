// Scenarios as C++: the printed text is also compiled here, so that it must build the same
// scenario.

#include "scenario/print.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "random_scenario.hpp"

namespace helixcheck {
namespace {

// What print_cpp printed for full_scenario(), compiled.
Scenario printed_scenario() {
#include "printed_scenario.inc"
  return s;
}

// Every field off its default, one statement of each kind.
Scenario full_scenario() {
  Scenario s;
  s.name = "full \"scenario\"";
  s.labels = {"slow", "tab\there"};
  s.problem = {Entry::core,
               128,
               6,
               3,
               7,
               5,
               4,
               9,
               1e-5,
               5e4,
               false,
               RopeScaling{8, 16, 2, 99, {}, 0.5},
               0.25,
               Dtype::fp16,
               Dtype::fp8_e4m3,
               0.125,
               {1, 22, 333},
               77,
               2,
               3,
               Prompt::given,
               Data{}};
  s.problem.data = {Family::integers,
                    ~std::uint64_t{0},
                    0.1,
                    8,
                    -2.5,
                    true,
                    {{HeavyPlace::page_last, 3, 1, 1.0 / 3}, {HeavyPlace::newest, 0, 0, 0.5}},
                    "dir/file.safetensors#prefix"};
  s.layout = {
      3, 2, Ownership::interleaved, DecodeOwner::continued, 16, 48, PageOrder::descending, 4, 5, 6,
      7, 8, Poison::huge,           LseForm::max_sum};
  s.run = {WorldKind::mpi,
           TransportKind::staged,
           Observe::end,
           InstanceLife::renewed,
           Launch::graph,
           7,
           VerdictRule::mismatch,
           0.5,
           0.0,
           1e-3};
  s.script = {{StepKind::join, {}, {}},
              {StepKind::decode, {0, 2}, {1, 4}},
              {StepKind::reject, {}, {2}},
              {StepKind::fork, {2}, {}}};
  return s;
}

TEST(PrintCpp, CompilesToTheScenario) {
  EXPECT_EQ(printed_scenario(), full_scenario());
  std::ifstream file(HELIXCHECK_SOURCE_DIR "/tests/scenario/printed_scenario.inc");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(print_cpp(full_scenario()), text.str());
}

TEST(PrintCpp, RepeatsOneLength) {
  Scenario s;
  s.problem.ctx_len.assign(8, 4096);
  EXPECT_EQ(print_cpp(s), "Scenario s;\ns.problem.ctx_len.assign(8, 4096);\n");
}

TEST(PrintCpp, OfADefaultScenarioIsADefaultScenario) {
  EXPECT_EQ(print_cpp(Scenario{}), "Scenario s;\n");
}

}  // namespace
}  // namespace helixcheck
