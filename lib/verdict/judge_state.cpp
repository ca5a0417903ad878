// What several stage checks use: widened rows, hidden states, statistics in any form.

#include "verdict/judge_state.hpp"

#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <numbers>

#include "mla/formats.hpp"
#include "verdict/lse_form.hpp"

namespace helixcheck {

JudgeState::JudgeState(const Inputs& given, const StageContracts& declared,
                       Accelerator* accelerated)
    : inputs(given),
      contracts(declared),
      scenario(given.scenario()),
      problem(given.problem()),
      accelerator(accelerated),
      geometry(scenario),
      weights(given, geometry),
      mirror(scenario, geometry) {}

void JudgeState::lack_input(Tap tap) {
  unanchored = true;
  ledger.note(fmt::format("{} was shown but not what it is made from: judged end to end only",
                          name_of(tap)));
}

std::span<double> sized(std::vector<double>& buffer, std::int64_t n) {
  if (std::ssize(buffer) < n) buffer.resize(static_cast<std::size_t>(n));
  return std::span(buffer).first(static_cast<std::size_t>(n));
}

const std::byte* Codes::row(std::int64_t i) const {
  return data + i * stride * static_cast<std::int64_t>(size_of(dtype));
}

Codes rows_of(const TapView& tap, std::int64_t columns, std::int64_t first) {
  const Codes all{tap.dtype, tap.data, columns};
  return {tap.dtype, all.row(first), columns};
}

void widen_rows(const Codes& from, std::int64_t rows, std::int64_t columns,
                std::vector<double>& to) {
  const std::span<double> all = sized(to, rows * columns);
  if (from.stride == columns) return decode_to(from.dtype, from.data, all);
  for (std::int64_t row = 0; row < rows; ++row) {
    decode_to(
        from.dtype, from.row(row),
        all.subspan(static_cast<std::size_t>(row * columns), static_cast<std::size_t>(columns)));
  }
}

bool same_bits(const TapView* a, const TapView* b) {
  if (a == nullptr || b == nullptr) return a == b;
  const std::int64_t count = a->elements();
  const std::size_t bytes = a->integers ? sizeof(std::int64_t) : size_of(a->dtype);
  return count == b->elements() &&
         (count == 0 ||
          std::memcmp(a->data, b->data, static_cast<std::size_t>(count) * bytes) == 0);
}

const std::byte* load_codes(JudgeState& state, std::span<const Token> tokens) {
  const std::int64_t row_bytes =
      state.geometry.hidden * static_cast<std::int64_t>(size_of(state.geometry.dtype));
  std::vector<std::byte>& codes = state.scratch.codes;
  codes.resize(tokens.size() * static_cast<std::size_t>(row_bytes));
  std::byte* to = codes.data();
  for (const Token& token : tokens) {
    state.inputs.hidden(token, 1, to);
    to += row_bytes;
  }
  return codes.data();
}

void load_hidden(JudgeState& state, std::span<const Row> rows) {
  std::vector<Token> tokens;
  for (const Row& row : rows) tokens.push_back(row.token);
  const std::byte* codes = load_codes(state, tokens);
  const std::int64_t width = state.geometry.hidden;
  widen_rows({state.geometry.dtype, codes, width}, std::ssize(rows), width, state.scratch.hidden);
}

// log2: the same set in the written unit. (max, sum): neither is the LSE's own store, so the
// roundings of both enter the bound; the maximum may be any gauge.
void compare_lse(const JudgeState& state, Tally& tally, const float* statistics, double want,
                 double bound, const Place& place) {
  const LseForm form = state.scenario.layout.lse_form;
  if (form == LseForm::max_sum) {
    const double gauge = std::abs(static_cast<double>(statistics[0]));
    const double stores = std::isfinite(gauge) ? 0x1p-24 * (gauge + 2) : 0;
    return tally.compare_derived(natural_lse(form, statistics), want, bound + stores, place);
  }
  const double unit = form == LseForm::log2 ? std::numbers::ln2 : 1.0;
  tally.compare(Dtype::fp32, statistics[0], want / unit, bound / unit, place);
}

}  // namespace helixcheck
