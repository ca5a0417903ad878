#include "shrink/order.hpp"

#include "shrink/cells.hpp"

namespace helixcheck {
namespace {

void append(std::string& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(value >> shift & 255);
}

void append_script(const std::vector<Step>& script, std::vector<std::uint64_t>& key) {
  key.push_back(script.size());
  std::uint64_t listed = 0;
  for (const Step& step : script) listed += step.requests.size() + step.tokens.size();
  key.push_back(listed);
  for (const Step& step : script) key.push_back(static_cast<std::uint64_t>(step.kind));
  for (const Step& step : script) {
    key.push_back(step.requests.size());
    key.push_back(step.tokens.size());
    for (const std::int64_t id : step.requests) key.push_back(static_cast<std::uint64_t>(id));
  }
}

// Everything but the cells, in the order of the file head.
std::vector<std::uint64_t> structure(const Scenario& scenario) {
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(Entry::merge) -
                                 static_cast<std::uint64_t>(scenario.problem.entry)};
  append_script(scenario.script, key);
  key.push_back(scenario.problem.ctx_len.size());
  key.push_back(scenario.problem.data.heavy.size());
  return key;
}

constexpr int kGroups = 6;

// What costs a reader more comes first: an event more than a rank, a rank more than a longer
// prompt.
int group_of(const Cell& cell) {
  if (cell.is("decode_steps") || cell.is("predicted_tokens_per_seq") || cell.step >= 0) return 0;
  if (cell.is("kvp") || cell.is("tpa")) return 1;
  if (cell.is("ctx_len")) return 3;
  if (cell.is("position_base") || cell.is("page_id_base")) return 4;
  if (cell.is("seed")) return 5;
  return 2;
}

}  // namespace

std::vector<std::uint64_t> complexity(Scenario scenario) {
  std::vector<std::uint64_t> key = structure(scenario);
  const std::vector<Cell> all = cells(scenario);
  for (int group = 0; group < kGroups; ++group) {
    for (const Cell& cell : all) {
      if (group_of(cell) == group) key.push_back(cell.rank());
    }
  }
  return key;
}

std::string identity(Scenario scenario) {
  std::string bytes;
  for (const std::uint64_t component : structure(scenario)) append(bytes, component);
  for (const Cell& cell : cells(scenario)) append(bytes, cell.bits());
  // Not shrunk, but told apart, since one memory may serve scenarios of several origins.
  const Run& run = scenario.run;
  bytes += static_cast<char>(run.verdict);
  for (const double tolerance : {run.atol, run.rtol, run.max_mismatch_ratio}) {
    bytes += std::to_string(tolerance) + ' ';
  }
  return bytes + scenario.problem.data.tensors;
}

}  // namespace helixcheck
