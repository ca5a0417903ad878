// Subjects that are wrong once in ten thousand to a hundred thousand small cases, each in a way
// that has happened in this field: what a search is measured with.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

struct RareFault {
  std::string_view name;
  std::string_view about;      // one line
  const hxc_subject* subject;  // a table to be put over the CPU subject's
  bool numeric;  // its error grows with what the values do; else it strikes or does not
};

std::span<const RareFault> rare_faults();

// Throws InputError listing the known names.
const RareFault& find_rare_fault(std::string_view name);

// Another threshold than the tuned one, for tuning; before any case runs.
void set_threshold(std::string_view fault, double threshold);

// A subject that is right, and notes which faults' conditions a case meets: those that are not
// numeric. A case that meets them need not fail (the lost key may be equal to the others).
const hxc_subject& fault_watcher();
// By index in rare_faults(), of this thread's cases since the last call.
std::vector<bool> take_met_conditions();

}  // namespace helixcheck
