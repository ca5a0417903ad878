// Plans whose fault makes them ask for pages that a request does not have. What they read must not
// depend on what lies around the table, or the same scenario would fail now so, now otherwise.

#pragma once

#include "subject/cpu/plan.hpp"

namespace helixcheck::planted {

using cpu::PlannedRow;

// As in memory: behind a row of the table lies the next one. Around the table there are no pages.
struct PlanDecisions : cpu::PlanDecisions {
  static std::int64_t page_id(const PlannedRow& row, std::int64_t page) {
    const hxc_tensor& table = row.step.block_table;
    const std::int64_t place = row.request * table.stride[0] + page;
    const std::int64_t end = (table.shape[0] - 1) * table.stride[0] + table.shape[1];
    return place < 0 || place >= end ? -1 : cpu::PlanDecisions::page_id(row, page);
  }
};

}  // namespace helixcheck::planted
