// Relations: statements of the form "changed in this way, the run ends in the same values". What is
// changed is a function of the scenario; rows are matched token by token.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "property/property.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

struct VariedRun {
  std::string change;  // "kvp 1 instead of 4"; of the first run: ""
  Scenario scenario;
};

struct Relation {
  std::string_view name;
  std::string_view about;
  // The runs that must agree, the first one being what the others are held against. Empty where the
  // relation says nothing about the scenario.
  std::vector<VariedRun> (*runs)(const Scenario& scenario) = nullptr;
  bool outputs = true;  // false: the sum over ranks may differ, so `output` is not compared
  bool prefix = false;  // the varied runs show only some of the rows
};

inline constexpr std::size_t kRelationCount = 16;
std::span<const Relation, kRelationCount> relations();

bool applies(const Relation& relation, const Scenario& scenario, const Subject& subject);
PropertyResult check(const Relation& relation, const Scenario& scenario, const Subject& subject,
                     const RunOptions& options);

}  // namespace helixcheck
