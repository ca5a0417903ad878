// A right subject gets times; wrong ones get none.

#include "bench/measure.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "subject/subject.hpp"
#include "subject/views.hpp"
#include "world/world.hpp"

namespace helixcheck::bench {
namespace {

Scenario small(Entry entry) {
  Scenario base;
  base.problem.entry = entry;
  base.problem.hidden_size = 48;
  base.problem.kv_lora_rank = 16;
  base.problem.qk_nope_head_dim = 8;
  base.problem.qk_rope_head_dim = 4;
  base.problem.v_head_dim = 12;
  base.layout.kv_cache_tokens_per_block = 8;
  return base;
}

const Subject* cpu_subject() {
  static const std::unique_ptr<Subject> subject = find_subject("cpu");
  return subject.get();
}

// Says that it is a device, so that everything must be brought there; keeps account of that.
class FarMemory final : public Memory {
 public:
  std::string name() const override { return "far"; }
  bool is_host() const override { return false; }
  void* stream() const override { return nullptr; }
  std::byte* allocate(std::size_t bytes) override {
    ++blocks;
    return host_memory().allocate(bytes);
  }
  void release(std::byte* block) noexcept override {
    --blocks;
    host_memory().release(block);
  }
  std::byte* allocate_host(std::size_t bytes) override { return allocate(bytes); }
  void release_host(std::byte* block) noexcept override { release(block); }
  void upload(void* to, const void* from, std::size_t bytes) override {
    uploaded += bytes;
    host_memory().upload(to, from, bytes);
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    host_memory().download(to, from, bytes);
  }
  void fill(void* to, std::byte value, std::size_t bytes) override {
    host_memory().fill(to, value, bytes);
  }
  void exchange(const BlockExchange& blocks_) override { host_memory().exchange(blocks_); }
  void sum(const BlockSum& blocks_) override { host_memory().sum(blocks_); }
  void synchronize() override {}
  void begin_recording() override { ++recordings; }

  int blocks = 0, recordings = 0;
  std::size_t uploaded = 0;
};

Row measured(const Scenario& base, const Shape& shape, const Subject& subject = *cpu_subject(),
             Memory& memory = host_memory()) {
  const Scenario scenario = scenario_of(base, shape);
  const std::unique_ptr<World> world = make_sim_world(static_cast<int>(shape.kvp), 1);
  const std::unique_ptr<Timing> timing = make_host_timing();
  MeasureOptions options;
  options.samples = 5;
  options.warm_up_s = 0;
  options.warm_cache = true;
  return measure(scenario, shape, *world, subject, memory, *timing, options);
}

TEST(Measure, TimesTheStepAndItsStages) {
  for (const Entry entry : {Entry::layer, Entry::core}) {
    const Row row = measured(small(entry), {3, 4, 50, 2});
    EXPECT_EQ(row.wrong, 0) << row.first_wrong;
    EXPECT_GT(row.values, 3 * 2 * 3 * 16);
    EXPECT_EQ(row.keys, 25);
    for (const Summary* summary : {&row.whole, &row.attend, &row.exchange, &row.combine}) {
      EXPECT_GT(summary->p50, 0);
      EXPECT_LE(summary->p50, summary->p99);
    }
  }
}

TEST(Measure, TakesAllFormatsAndEmptyShards) {
  Scenario base = small(Entry::core);
  base.problem.kv_cache_dtype = Dtype::fp8_e4m3;
  base.problem.kv_scale = 0.037;
  for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
    base.layout.lse_form = form;
    for (const std::int64_t ctx : {1, 2, 7, 64}) {
      const Row row = measured(base, {2, 8, ctx, 4});
      EXPECT_EQ(row.wrong, 0) << row.first_wrong << " at " << ctx;
    }
  }
}

TEST(Measure, BringsEverythingToTheMemory) {
  FarMemory memory;
  const Row row = measured(small(Entry::layer), {3, 4, 50, 2}, *cpu_subject(), memory);
  EXPECT_EQ(row.wrong, 0) << row.first_wrong;
  EXPECT_EQ(memory.recordings, 4) << "the step and three stages";
  EXPECT_EQ(memory.blocks, 0) << "all given back";
  const std::size_t o_weights = 48 * 4 * 12 * 2, caches = 2 * 3 * 4 * 8 * 20 * 2;
  EXPECT_GT(memory.uploaded, o_weights + caches);
}

int attend_nothing(void*, hxc_step* const*, hxc_comm*, hxc_error*) {
  return 0;
}

int combine_zeros(void*, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    for (std::int64_t row = 0; row < step.rows; ++row) {
      for (std::int64_t head = 0; head < step.place->owned_heads; ++head) {
        const auto bytes = static_cast<std::size_t>(step.model->kv_lora_rank * 2);
        std::fill_n(at(step.combined, row, head), bytes, std::byte{0});
      }
    }
  }
  return 0;
}

Row with_override(hxc_stage stage, hxc_stage_fn run) {
  const hxc_entry entry{stage, stage, run};
  hxc_subject table{};
  table.abi_version = HXC_ABI_VERSION;
  table.name = "wrong";
  table.contract = "cpu";
  table.entry_count = 1;
  table.entries = &entry;
  const Subject subject(*builtin_subjects()[0], &table);
  return measured(small(Entry::core), {2, 4, 50, 2}, subject);
}

TEST(Measure, GivesWrongSubjectsNoTime) {
  const Row attend = with_override(HXC_ATTEND, attend_nothing);
  EXPECT_GT(attend.wrong, 0);
  EXPECT_EQ(attend.first_wrong.substr(0, 6), "attend");
  EXPECT_TRUE(std::isnan(attend.whole.p50));
  const Row combine = with_override(HXC_COMBINE, combine_zeros);
  EXPECT_GT(combine.wrong, 0);
  EXPECT_EQ(combine.first_wrong.substr(0, 7), "combine");
  EXPECT_TRUE(std::isnan(combine.attend.p50));
}

}  // namespace
}  // namespace helixcheck::bench
