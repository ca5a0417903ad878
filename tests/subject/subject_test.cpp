// Resolution of subject tables.

#include "subject/subject.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

int nothing(void*, hxc_step* const*, hxc_comm*, hxc_error*) {
  return 0;
}

hxc_subject table_of(const hxc_entry* entries, int count) {
  return {HXC_ABI_VERSION, HXC_HOST, "mine", "unknown", count, entries, nullptr, nullptr, nullptr};
}

TEST(Subject, BuiltinCoversEveryStageOnce) {
  const Subject subject(cpu::subject());
  ASSERT_EQ(subject.parts().size(), HXC_STAGE_COUNT);
  for (int stage = 0; stage < HXC_STAGE_COUNT; ++stage) {
    EXPECT_EQ(subject.parts()[static_cast<std::size_t>(stage)].first, stage);
    EXPECT_EQ(subject.contract_of(static_cast<hxc_stage>(stage)), "cpu");
  }
  EXPECT_EQ(subject.name(), "cpu");
}

TEST(Subject, SpanReplacesTheStagesItCovers) {
  const hxc_entry span[] = {{HXC_EXCHANGE, HXC_COMBINE, nothing}};
  const hxc_subject table = table_of(span, 1);
  const Subject subject(cpu::subject(), &table);
  ASSERT_EQ(subject.parts().size(), HXC_STAGE_COUNT - 1u);
  EXPECT_TRUE(subject.part_of(HXC_COMBINE).overridden);
  EXPECT_EQ(&subject.part_of(HXC_EXCHANGE), &subject.part_of(HXC_COMBINE));
  EXPECT_FALSE(subject.part_of(HXC_OUTPUT).overridden);
  EXPECT_EQ(subject.contract_of(HXC_COMBINE), "unknown");
  EXPECT_EQ(subject.contract_of(HXC_ATTEND), "cpu");
  EXPECT_EQ(subject.name(), "cpu+mine");
}

TEST(Subject, PromptUsesTheBuiltinWhereASpanReachesFurther) {
  const hxc_entry span[] = {{HXC_APPEND, HXC_ATTEND, nothing}};
  const hxc_subject table = table_of(span, 1);
  const Subject subject(cpu::subject(), &table);
  EXPECT_TRUE(subject.part_of(HXC_APPEND).overridden);
  EXPECT_FALSE(subject.prompt_part(HXC_APPEND).overridden);
}

TEST(Subject, RefusesTablesThatMakeNoSense) {
  const hxc_entry overlap[] = {{HXC_PLAN, HXC_APPEND, nothing},
                               {HXC_PROJECT, HXC_PROJECT, nothing}};
  const hxc_entry backwards[] = {{HXC_COMBINE, HXC_EXCHANGE, nothing}};
  const hxc_entry beyond[] = {{HXC_OUTPUT, HXC_STAGE_COUNT, nothing}};
  const hxc_entry empty[] = {{HXC_PLAN, HXC_PLAN, nullptr}};
  for (const auto& [entries, count] :
       {std::pair<const hxc_entry*, int>{overlap, 2}, {backwards, 1}, {beyond, 1}, {empty, 1}}) {
    const hxc_subject table = table_of(entries, count);
    EXPECT_THROW(Subject(cpu::subject(), &table), InputError);
  }
  hxc_subject newer = table_of(nullptr, 0);
  newer.abi_version = HXC_ABI_VERSION + 1;
  EXPECT_THROW(Subject(cpu::subject(), &newer), InputError);
}

TEST(Subject, NamesAreLookedUp) {
  EXPECT_EQ(find_subject("cpu_p16")->name(), "cpu_p16");
  EXPECT_THROW(find_subject("gpu"), InputError);
  EXPECT_THROW(find_subject("./nothing_here.so"), ResourceError);
}

}  // namespace
}  // namespace helixcheck
