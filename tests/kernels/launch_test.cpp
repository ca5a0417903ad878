// Recorded steps: the same bits for a subject that reads lengths from the device, and a difference
// for one that lets the host decide while it is recorded.

#include "kernels/device.hpp"
#include "kernels/small_layer.hpp"
#include "property/property.hpp"
#include "run/run.hpp"
#include "scenario/validate.hpp"
#include "subject/subject.hpp"

namespace helixcheck {
namespace {

using CudaLaunch = OnDevice;

Scenario steps(std::int64_t count) {
  Scenario s = small_layer();
  s.problem.decode_steps = count;
  s.layout.kvp = 3;
  validate(s);
  return s;
}

const hxc_subject& table() {
  return *cuda::module().subjects().front();
}

TEST_F(CudaLaunch, AGraphGivesTheSameBits) {
  for (const char* name : {"cuda", "cuda_agrs"}) {
    for (const Entry entry : {Entry::layer, Entry::core}) {
      Scenario s = steps(6);
      s.problem.entry = entry;
      const std::unique_ptr<World> world = make_sim_world(s);
      const RunResult direct = run_scenario(s, *world, *find_subject(name));
      s.run.launch = Launch::graph;
      const RunResult recorded = run_scenario(s, *world, *find_subject(name));
      EXPECT_TRUE(direct.verdict.pass);
      EXPECT_TRUE(recorded.verdict.pass);
      EXPECT_EQ(direct.output_hash, recorded.output_hash);
    }
  }
}

// Writes a byte that the host chooses by the step into the result.
int combine_marking_the_step(void* instance, hxc_step* const* ranks, hxc_comm* comm,
                             hxc_error* error) {
  const int status = table().entries[HXC_COMBINE].run(instance, ranks, comm, error);
  cuda::memory().fill(ranks[0]->combined.data, std::byte(ranks[0]->step), 1);
  return status;
}

TEST_F(CudaLaunch, AChoiceOfTheHostIsSeen) {
  static constexpr hxc_entry entries[] = {{HXC_COMBINE, HXC_COMBINE, combine_marking_the_step}};
  const hxc_subject marking{HXC_ABI_VERSION, HXC_CUDA,       "marking", "cuda",         1,
                            entries,         table().create, nullptr,   table().destroy};
  const Subject subject(table(), &marking);
  const PropertyResult result = find_property("launch").check(steps(3), subject, {});
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->kind, "relation");
}

}  // namespace
}  // namespace helixcheck
