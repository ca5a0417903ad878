// Tables with fixed columns, so that two reports can be compared line by line.

#include "report/terminal.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "scenario/json.hpp"
#include "scenario/names.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

std::string tap_table(const Verdict& verdict) {
  std::string text = fmt::format("  {:<14} {:>12} {:>11} {:>10} {:>13} {:>9}\n", "tap", "values",
                                 "worst ratio", "blindness", "max abs error", "failures");
  for (const TapResult& tap : verdict.taps) {
    const std::string blindness =
        tap.exact ? "exact"
                  : fmt::format("{:.2g}{}", tap.blindness, tap.blindness > kBlind ? "!" : "");
    text += fmt::format("  {:<14} {:>12} {:>11.3g} {:>10} {:>13.3g} {:>9}\n", name_of(tap.tap),
                        tap.values, tap.worst_ratio, blindness, tap.max_abs_error, tap.failures);
  }
  return text;
}

std::string worst_text(const Verdict& verdict) {
  const TapResult* worst = verdict.worst();
  return worst == nullptr ? "-" : fmt::format("{:.3g} {}", worst->worst_ratio, name_of(worst->tap));
}

std::string blind_text(const Verdict& verdict) {
  double most = 0;
  for (const TapResult& tap : verdict.taps) most = std::max(most, tap.blindness);
  return fmt::format("{:.2g}{}", most, most > kBlind ? "!" : "");
}

std::string quoted(const std::string& argument) {
  const bool plain = argument.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_-.,:=+/#") == std::string::npos;
  return plain && !argument.empty() ? argument : fmt::format("'{}'", argument);
}

}  // namespace

std::string describe(const RunResult& result) {
  const Verdict& verdict = result.verdict;
  std::string text = fmt::format(
      "{}  {}  subject {}  {:.2f} s (inputs {:.2f}, subject {:.2f}, judge {:.2f})  hash {:016x}\n",
      result.scenario.name + (result.property.empty() ? "" : "  property " + result.property),
      verdict.pass ? "pass" : "FAIL", result.subject, result.phases.total(), result.phases.inputs,
      result.phases.subject, result.phases.judge, result.output_hash);
  if (!verdict.taps.empty()) text += tap_table(verdict);
  if (verdict.mismatch) {
    text += fmt::format(
        "  mismatch: {:.3g} of all elements outside atol + rtol |ref|, {:.3g} allowed,"
        " max abs error {:.3g}\n",
        verdict.mismatch->ratio, result.scenario.run.max_mismatch_ratio,
        verdict.mismatch->max_abs_error);
  }
  for (const std::string& note : verdict.notes) text += fmt::format("  note: {}\n", note);
  if (verdict.pass) return text;
  if (verdict.blame) text += fmt::format("  blame: {}\n", verdict.blame->sentence);
  if (result.repeated && !result.same_again) {
    text += "  nondeterministic: a second run of the same scenario gave another result\n";
  }
  text += fmt::format("  scenario: {}\n", content_hash(result.scenario));
  text += fmt::format("  replay: {}\n", replay_command(result));
  return text;
}

std::string summary_head(std::size_t width) {
  return fmt::format("{:<{}}  {:<7} {:<22} {:>9} {:>8}\n", "scenario", width, "verdict",
                     "worst ratio and tap", "blindness", "seconds");
}

std::string summary_line(const RunResult& result, std::size_t width) {
  return fmt::format("{:<{}}  {:<7} {:<22} {:>9} {:>8.2f}\n", result.scenario.name, width,
                     result.verdict.pass ? "pass" : "FAIL", worst_text(result.verdict),
                     blind_text(result.verdict), result.phases.total());
}

std::string replay_command(const RunResult& result) {
  std::string command = "helixcheck run";
  Scenario scenario = result.scenario;
  if (scenario.name == short_name(scenario)) scenario.name.clear();  // derived again
  for (const std::string& argument : print_arguments(scenario)) {
    command += " " + quoted(argument);
  }
  const std::string& subject = result.argument.empty() ? result.subject : result.argument;
  if (subject != "cpu") command += fmt::format(" --subject {}", quoted(subject));
  if (!result.property.empty()) command += fmt::format(" --property {}", quoted(result.property));
  return command;
}

}  // namespace helixcheck
