// Measured steps as a table for people and as JSON for programs.

#pragma once

#include <span>
#include <string>

#include "bench/measure.hpp"
#include "device/timing.hpp"

namespace helixcheck {

// What all rows of a table have in common.
struct BenchHeader {
  std::string device;    // "NVIDIA H100 80GB HBM3", or the host's processor
  std::string versions;  // driver and libraries; "" on a host
  std::string state;     // clocks and power limit; "" where unknown
  std::string commit;
  std::string subject;
  std::string world;  // "sim", "mpi", ...
  int processes = 1;  // each with a device of its own, where there are devices
  std::int64_t layers = 1;
  bool warm_cache = false;
  Rates rates;  // 0: no roofline
  std::string command;
};

// Per cent of the roofline that stage `attend` reaches; NaN where there is none.
double roof_percent(const BenchHeader& header, const bench::Row& row);

// A few lines that hold for the whole table, and its column names.
std::string bench_head(const BenchHeader& header);
// A row of the table: "-" for what was not measured.
std::string bench_line(const BenchHeader& header, const Scenario& scenario, const bench::Row& row);

// {schema, header, rows: [{...}]}; the keys of a row are the columns of the table. What was not
// measured is null.
struct BenchResult {
  Scenario scenario;
  bench::Row row;
};
std::string json_of(const BenchHeader& header, std::span<const BenchResult> results);

}  // namespace helixcheck
