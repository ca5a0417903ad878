// The CPU subject's plan against the definition of ownership, token by token.

#include <gtest/gtest.h>
#include <vector>

#include "scenario/ownership.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

struct Planned {
  std::vector<std::int64_t> position, slot, visible, row_request, local_len;
};

hxc_rank place_of(const Layout& layout, std::int64_t kvp_rank) {
  hxc_rank place{};
  place.kvp = static_cast<std::int32_t>(layout.kvp);
  place.tpa = 1;
  place.kvp_rank = static_cast<std::int32_t>(kvp_rank);
  place.ownership = static_cast<std::int32_t>(layout.ownership);
  place.decode_owner = static_cast<std::int32_t>(layout.decode_owner);
  place.interleave = layout.interleave;
  place.tokens_per_block = layout.kv_cache_tokens_per_block;
  return place;
}

Planned run_plan(const Layout& layout, std::int64_t kvp_rank, std::vector<hxc_request> requests,
                 std::int64_t padding, std::vector<std::int64_t>& table, std::int64_t pages) {
  const hxc_rank place = place_of(layout, kvp_rank);
  hxc_model model{};
  model.position_base = 1000;
  hxc_step step{};
  step.model = &model;
  step.place = &place;
  step.requests = requests.data();
  step.request_count = std::ssize(requests);
  for (const hxc_request& r : requests) step.rows += r.query_tokens;
  step.rows += padding;
  step.padding_rows = padding;
  const auto rows = static_cast<std::size_t>(step.rows);
  Planned out{std::vector<std::int64_t>(rows, -77), std::vector<std::int64_t>(rows, -77),
              std::vector<std::int64_t>(rows, -77), std::vector<std::int64_t>(rows, -77),
              std::vector<std::int64_t>(requests.size(), -77)};
  step.position = dense(out.position.data(), HXC_INT64, {step.rows});
  step.slot = dense(out.slot.data(), HXC_INT64, {step.rows});
  step.visible = dense(out.visible.data(), HXC_INT64, {step.rows});
  step.row_request = dense(out.row_request.data(), HXC_INT64, {step.rows});
  step.local_len = dense(out.local_len.data(), HXC_INT64, {step.request_count});
  step.block_table = dense(table.data(), HXC_INT64, {step.request_count, pages});
  hxc_step* ranks[] = {&step};
  hxc_comm comm{};
  comm.local_ranks = 1;
  hxc_error error{};
  EXPECT_EQ(0, cpu::plan(nullptr, ranks, &comm, &error));
  return out;
}

void check_against_definition(const Layout& layout, std::int64_t prompt_len, std::int64_t cached,
                              std::int64_t query_tokens) {
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const std::int64_t pages = (cached + query_tokens) / page + 1;
  std::vector<std::int64_t> table(static_cast<std::size_t>(pages));
  for (std::int64_t i = 0; i < pages; ++i) table[static_cast<std::size_t>(i)] = 100 + 7 * i % pages;
  for (std::int64_t rank = 0; rank < layout.kvp; ++rank) {
    const Planned plan =
        run_plan(layout, rank, {{prompt_len, cached, query_tokens}}, 1, table, pages);
    std::int64_t owned = 0;
    for (std::int64_t t = 0; t < cached; ++t) owned += owner_of(layout, t, prompt_len) == rank;
    for (std::int64_t i = 0; i < query_tokens; ++i) {
      const auto row = static_cast<std::size_t>(i);
      const bool mine = owner_of(layout, cached + i, prompt_len) == rank;
      const std::int64_t slot = table[static_cast<std::size_t>(owned / page)] * page + owned % page;
      EXPECT_EQ(plan.position[row], 1000 + cached + i);
      EXPECT_EQ(plan.slot[row], mine ? slot : -1);
      owned += mine;
      EXPECT_EQ(plan.visible[row], owned);
      EXPECT_EQ(plan.row_request[row], 0);
    }
    EXPECT_EQ(plan.local_len[0], owned);
    const auto last = static_cast<std::size_t>(query_tokens);  // the padding row
    EXPECT_EQ(plan.position[last], 0);
    EXPECT_EQ(plan.slot[last], -1);
    EXPECT_EQ(plan.visible[last], 0);
    EXPECT_EQ(plan.row_request[last], -1);
  }
}

TEST(Plan, AgreesWithTheDefinitionOfOwnership) {
  for (const Ownership ownership :
       {Ownership::contiguous, Ownership::contiguous_blocks, Ownership::interleaved}) {
    for (const DecodeOwner owner :
         {DecodeOwner::last, DecodeOwner::continued, DecodeOwner::restarted}) {
      if (owner == DecodeOwner::continued && ownership != Ownership::interleaved) continue;
      for (const std::int64_t kvp : {1, 2, 3, 5, 8}) {
        for (const std::int64_t interleave : {1, 2, 3, 16}) {
          Layout layout;
          layout.ownership = ownership;
          layout.decode_owner = owner;
          layout.kvp = kvp;
          layout.interleave = interleave;
          layout.kv_cache_tokens_per_block = 4;
          for (const std::int64_t prompt : {0, 1, 2, 7, 31, 48, 97}) {
            for (const std::int64_t generated : {0, 1, 5, 33}) {
              check_against_definition(layout, prompt, prompt + generated, 3);
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace helixcheck
