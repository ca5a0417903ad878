// One list of cells serves both forms.

#include "report/bench_report.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

#include "scenario/json.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::ordered_json;
using bench::Row;

constexpr const char* kNone = "-";

struct Cell {
  const char* key;
  int width;
  std::string text;
  Json value;
};

Cell word(const char* key, int width, std::string text) {
  return {key, width, text, text};
}
Cell whole(const char* key, int width, std::int64_t value) {
  return {key, width, fmt::format("{}", value), value};
}
// Three to four significant digits; kNone where not finite.
Cell real(const char* key, int width, double value) {
  if (!std::isfinite(value)) return {key, width, kNone, nullptr};
  const int digits = std::abs(value) < 10 ? 2 : std::abs(value) < 1000 ? 1 : 0;
  return {key, width, fmt::format("{:.{}f}", value, digits), value};
}

bool has_roof(const BenchHeader& header) {
  return header.rates.read_bytes_per_s > 0 && header.rates.bf16_flops > 0;
}

// Tokens a second of the whole job.
double tokens_per_s(const BenchHeader& header, const Row& row) {
  return 1e6 * static_cast<double>(row.shape.batch) /
         (row.whole.p50 * static_cast<double>(header.layers));
}

std::vector<Cell> cells_of(const BenchHeader& header, const Scenario& scenario, const Row& row) {
  const bench::Roof roof =
      has_roof(header) ? bench::roof_of(row.work, header.rates) : bench::Roof{};
  const double attend_s = row.attend.p50 * 1e-6;
  const double tokens = tokens_per_s(header, row);
  const bool alone = header.processes == 1;
  const double bus = row.shape.kvp > 1 ? row.exchange_bytes / (row.exchange.p50 * 1e-6) : NAN;
  const Problem& p = scenario.problem;
  return {
      word("entry", 5, std::string(name_of(p.entry))),
      whole("R", 2, row.shape.kvp),
      whole("B", 3, row.shape.batch),
      whole("H", 3, row.shape.heads),
      whole("ctx", 7, row.shape.ctx_len),
      whole("S_loc", 7, row.keys),
      word("kv", 8, std::string(name_of(p.kv_cache_dtype))),
      word("part_dt", 7, std::string(name_of(p.dtype))),
      word("xport", 5, header.world),
      word("mode", 6, row.recorded ? "graph" : "direct"),
      word("L2", 4, header.warm_cache ? "warm" : "cold"),
      real("attn_us", 8, row.attend.p50),
      real("a2a_us", 8, row.exchange.p50),
      real("comb_us", 8, row.combine.p50),
      real("ttl_us", 8, row.whole.p50),
      real("p90", 8, row.whole.p90),
      real("p99", 8, row.whole.p99),
      real("noise%", 6, row.whole.noise),
      real("plan_us", 8, row.plan_us),
      real("tok/s", 8, tokens),
      real("tok/s/GPU", 9, tokens / header.processes),
      real("GB/s", 6, row.work.bytes / attend_s * 1e-9),
      real("TF/s", 6, row.work.flops / attend_s * 1e-12),
      real("%roof", 6, roof_percent(header, row)),
      word("bound", 5, has_roof(header) ? (roof.memory_bound ? "mem" : "mma") : kNone),
      real("a2a_busbw", 9, alone ? NAN : bus * 1e-9),
      whole("#wrong", 6, row.wrong),
  };
}

std::string joined(const std::vector<Cell>& cells, bool names) {
  std::string line;
  for (const Cell& cell : cells) {
    const std::string text = names ? cell.key : cell.text;
    const int width = std::max(cell.width, static_cast<int>(std::string(cell.key).size()));
    line += fmt::format("{}{:>{}}", line.empty() ? "" : " ", text, width);
  }
  return line + "\n";
}

}  // namespace

double roof_percent(const BenchHeader& header, const Row& row) {
  if (!has_roof(header)) return NAN;
  return 100 * bench::roof_of(row.work, header.rates).us / row.attend.p50;
}

std::string bench_head(const BenchHeader& header) {
  std::string text = fmt::format("{} x {}{}{}\n", header.processes, header.device,
                                 header.versions.empty() ? "" : ", " + header.versions,
                                 header.state.empty() ? "" : ", " + header.state);
  if (has_roof(header)) {
    text += fmt::format("measured now: {:.0f} GB/s read only, {:.0f} TFLOP/s bf16\n",
                        header.rates.read_bytes_per_s * 1e-9, header.rates.bf16_flops * 1e-12);
  }
  text += fmt::format(
      "subject {}, commit {}; medians, the slowest rank counts; tok/s of {} layer{}; stages are\n"
      "timed in runs of their own and need not add up to ttl\n",
      header.subject, header.commit.empty() ? "unknown" : header.commit, header.layers,
      header.layers == 1 ? "" : "s");
  return text + joined(cells_of(header, Scenario{}, Row{}), true);
}

std::string bench_line(const BenchHeader& header, const Scenario& scenario, const Row& row) {
  return joined(cells_of(header, scenario, row), false);
}

std::string json_of(const BenchHeader& header, std::span<const BenchResult> results) {
  Json json;
  json["schema"] = kSchema;
  json["header"] = {{"device", header.device},
                    {"processes", header.processes},
                    {"versions", header.versions},
                    {"state", header.state},
                    {"commit", header.commit},
                    {"subject", header.subject},
                    {"world", header.world},
                    {"layers", header.layers},
                    {"read_gb_per_s", header.rates.read_bytes_per_s * 1e-9},
                    {"bf16_tflops", header.rates.bf16_flops * 1e-12},
                    {"command", header.command}};
  json["rows"] = Json::array();
  for (const BenchResult& result : results) {
    Json row;
    for (const Cell& cell : cells_of(header, result.scenario, result.row)) {
      row[cell.key] = cell.value;
    }
    if (result.row.wrong > 0) row["first_wrong"] = result.row.first_wrong;
    row["values_checked"] = result.row.values;
    json["rows"].push_back(std::move(row));
  }
  return json.dump(2) + "\n";
}

}  // namespace helixcheck
