// The rule by which ranks agree on a collective, and the sentence for when they do not.

#include "world/statement.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "scenario/error.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

// Harness traffic: each rank brings what it has, and the root's answer counts.
bool value_may_differ(Collective kind) {
  return kind == Collective::gather_to_root || kind == Collective::agree;
}

bool same(const Statement& a, const Statement& b) {
  return a.kind == b.kind && a.group == b.group && a.step == b.step && a.dtype == b.dtype &&
         (a.value == b.value || value_may_differ(a.kind));
}

std::string_view type_of(const Statement& statement) {
  return name_of(static_cast<Dtype>(statement.dtype));
}

std::string name_of(const Statement& statement) {
  const char* group = statement.group == Group::kvp ? " within KVP groups" : "";
  switch (statement.kind) {
    case Collective::all_to_all:
      return fmt::format("all_to_all of {} bytes{}", statement.value, group);
    case Collective::all_gather:
      return fmt::format("all_gather of {} bytes{}", statement.value, group);
    case Collective::all_reduce:
      return fmt::format("all_reduce of {} {} values{}", statement.value, type_of(statement),
                         group);
    case Collective::reduce_scatter:
      return fmt::format("reduce_scatter of {} {} values{}", statement.value, type_of(statement),
                         group);
    case Collective::gather_to_root: return "gather_to_root";
    case Collective::agree: return "agree";
    case Collective::connect:
      return fmt::format("connect by transport {}",
                         name_of(static_cast<TransportKind>(statement.value)));
    case Collective::leave: break;
  }
  return "no collective, its world has ended";
}

// "rank 1", "ranks 0, 2-3": the ranks whose statement is `statement`.
std::string ranks_with(std::span<const Statement> statements, const Statement& statement) {
  std::string list;
  int count = 0;
  const int size = static_cast<int>(statements.size());
  for (int first = 0; first < size; ++first) {
    int end = first;
    while (end < size && same(statements[static_cast<std::size_t>(end)], statement)) ++end;
    if (end == first) continue;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", first);
    if (end - first > 1) list += fmt::format("-{}", end - 1);
    count += end - first;
    first = end;
  }
  return fmt::format("{} {} {}", count == 1 ? "rank" : "ranks", list,
                     count == 1 ? "enters" : "enter");
}

std::string at_step(std::int64_t step) {
  return step < 0 ? "" : fmt::format(" at step {}", step);
}

}  // namespace

void check_agreement(std::span<const Statement> statements) {
  const Statement& first = statements.front();
  if (std::all_of(statements.begin(), statements.end(),
                  [&first](const Statement& other) { return same(first, other); })) {
    return;
  }
  std::vector<Statement> kinds;
  bool one_step = true;
  for (const Statement& statement : statements) {
    const auto equal = [&](const Statement& known) { return same(known, statement); };
    if (std::none_of(kinds.begin(), kinds.end(), equal)) kinds.push_back(statement);
    one_step = one_step && statement.step == statements.front().step;
  }
  std::string message =
      fmt::format("collective mismatch{}:", one_step ? at_step(kinds.front().step) : "");
  for (const Statement& kind : kinds) {
    message +=
        fmt::format("{} {} {}{}", &kind == &kinds.front() ? "" : ",", ranks_with(statements, kind),
                    name_of(kind), one_step ? "" : at_step(kind.step));
  }
  throw SubjectError(message);
}

void check_buffers(const Statement& statement, std::size_t sends, std::size_t receives,
                   int local_ranks) {
  const auto expected = static_cast<std::size_t>(local_ranks);
  if (sends == expected && receives == expected) return;
  throw SubjectError(
      fmt::format("{}{}: {} send and {} receive buffers for {} ranks of this process",
                  name_of(statement), at_step(statement.step), sends, receives, local_ranks));
}

}  // namespace helixcheck
