// A trace: one run of the pipeline, not judged, with the final values of every row kept un-sharded,
// so that runs over different ranks, pages and scripts can be laid side by side.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mla/inputs.hpp"
#include "property/property.hpp"
#include "scenario/history.hpp"

namespace helixcheck {

// What a property wants besides the final values.
struct TraceWants {
  bool sources = false;     // what attend starts from: queries and cache rows
  bool statistics = false;  // natural-log LSE of every rank
};

// A request's part of a step: its rows are first_row .. first_row + row_count - 1.
struct TraceRequest {
  std::int64_t id = 0, prompt_len = 0, tokens = 0;  // tokens: held after the step
  std::int64_t first_row = 0, row_count = 0;
};

// One decode step, all ranks put together; padding rows left out. Taps that the run did not show
// are empty.
struct TraceStep {
  std::int64_t step = 0;
  std::vector<Row> rows;
  std::vector<TraceRequest> requests;
  std::vector<std::byte> combined;            // [rows, H, R] codes
  std::vector<float> combined_lse;            // [rows, H]
  std::vector<std::byte> output;              // [rows, D] codes, as rank 0 has them; `layer`
  std::vector<std::byte> query;               // [rows, H, R + P] codes, `sources`
  std::vector<std::vector<std::byte>> cache;  // by KVP rank: its local rows, request by request
  std::vector<double> lse;                    // [KVP, rows, H], `statistics`
};

struct Trace {
  std::vector<TraceStep> steps;
  std::optional<Failure> error;  // the subject failed outside of its taps
};

// Whether a trace with `sources` stays within half a GiB: it holds the cache once for each step.
bool sources_fit(const Scenario& scenario);

// Runs `inputs` in a simulated world. Throws InputError as the pipeline does.
Trace take_trace(const Inputs& inputs, const Subject& subject, const TraceWants& wants);

// The first `count` cache rows of the request in `slot`, in the order of their indices, whoever
// holds them: codes [count, R + P]. Requires a step with its cache.
std::vector<std::byte> keys_by_index(const Inputs& inputs, const TraceStep& step, std::int64_t slot,
                                     std::int64_t count);

// A row of a trace by what it is: the same token in every variation.
struct TraceRow {
  Token token;
  std::size_t step = 0;  // index into Trace::steps
  std::size_t row = 0;
};

// All rows, ordered by token.
std::vector<TraceRow> rows_of(const Trace& trace);

bool before(const Token& a, const Token& b);

}  // namespace helixcheck
