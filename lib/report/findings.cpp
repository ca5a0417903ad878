// The same order in every report: what broke, what matters, how to see it again.

#include "report/findings.hpp"

#include <fmt/format.h>
#include <map>

#include "generate/compatibility.hpp"
#include "report/terminal.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

std::string indented(const std::string& text) {
  std::string result;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result += "    " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return result;
}

std::string shrink_line(const Finding& finding) {
  if (!finding.nondeterminism.empty() && finding.shrink_evaluations == 0) return "";
  std::string line = fmt::format("  shrunk: {} evaluations, ", finding.shrink_evaluations);
  line += finding.locally_minimal ? "locally minimal" : "not shown to be locally minimal";
  if (!finding.stopped_by.empty()) line += fmt::format(" (stopped by {})", finding.stopped_by);
  return line + "\n";
}

std::string storage_line(const Finding& finding) {
  if (!finding.file.empty()) return fmt::format("  stored: {}\n", finding.file.string());
  if (finding.not_stored.empty()) return "";
  return fmt::format("  NOT stored, keep the text above: {}\n", finding.not_stored);
}

std::string ratio_lines(const Statistics& statistics) {
  std::string text = "worst error / bound by tap:";
  for (int i = 0; i < kTapCount; ++i) {
    const double ratio = statistics.worst_ratios()[static_cast<std::size_t>(i)];
    if (ratio > 0) text += fmt::format(" {} {:.3g}", name_of(static_cast<Tap>(i)), ratio);
  }
  return text + "\n";
}

}  // namespace

std::string replay_command(const Finding& finding, const std::string& subject) {
  if (!finding.before.empty()) {  // which options cannot say
    const std::string file = finding.file.empty()
                                 ? corpus_file(finding, subject).scenario.name + ".json"
                                 : finding.file.string();
    return fmt::format("helixcheck replay {} --subject {}", file, subject);
  }
  RunResult run;
  run.scenario = finding.scenario;
  run.argument = subject;
  if (finding.signature.property != "equivalence") run.property = finding.signature.property;
  return replay_command(run);
}

std::string describe(const Finding& finding, const std::string& subject) {
  std::string text = fmt::format("{}\n", to_text(finding.signature));
  text += fmt::format("  {}\n", finding.blame.sentence);
  if (!finding.nondeterminism.empty()) {
    text += fmt::format("  the verdict changes on repetition: {}\n", finding.nondeterminism);
  }
  if (!finding.unconfirmed.empty()) {
    text += fmt::format("  not confirmed: {}\n", finding.unconfirmed);
  }
  if (!finding.explanation.fields.empty()) {
    text += fmt::format("  fails for: {}\n", to_text(finding.explanation));
  }
  text += shrink_line(finding);
  text += fmt::format("  scenario{}:\n{}",
                      finding.before.empty() ? ""
                                             : fmt::format(" (after {} others, which it needs)",
                                                           finding.before.size()),
                      indented(print_scenario_file(corpus_file(finding, subject))));
  text += fmt::format("  in C++:\n{}", indented(print_cpp(finding.scenario)));
  text += storage_line(finding);
  text += fmt::format("  replay: {}\n", replay_command(finding, subject));
  return text;
}

std::string describe(const Explanation& explanation) {
  std::string text =
      fmt::format("{:<40} {:<10} {:<9} {}\n", "field", "matters", "failed", "fails for");
  for (const FieldExplanation& field : explanation.fields) {
    text += fmt::format("{:<40} {:<10} {:<9} {}\n", field.path, field.matters ? "yes" : "no",
                        fmt::format("{}/{}", field.failed, field.tried), field.text);
  }
  return text;
}

std::string describe(const CheckReport& report, const std::string& subject) {
  const Statistics& statistics = report.statistics;
  const auto cases = static_cast<double>(statistics.cases());
  std::string text = fmt::format(
      "{}{} cases, {} subject runs, {:.1f} s, {:.0f} cases/s; {} of {} feature pairs; {} "
      "finding{}\n",
      report.device_lost   ? "the device was lost after "
      : report.interrupted ? "interrupted after "
                           : "",
      statistics.cases(), statistics.subject_runs(), report.seconds,
      report.seconds > 0 ? cases / report.seconds : 0.0, statistics.pairs_drawn(),
      Compatibility::get().pairs(), report.findings.size(), report.findings.size() == 1 ? "" : "s");
  text += ratio_lines(statistics);
  if (statistics.unjudged() > 0) {
    text += fmt::format(
        "{} cases were not judged: the subject does not take them, they hide too much, or no "
        "chosen property applies\n",
        statistics.unjudged());
  }
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const Finding& finding = report.findings[i];
    text += fmt::format("\nfinding {}, case {}, seen {} more times: {}", i + 1, finding.case_index,
                        finding.seen_again, describe(finding, subject));
  }
  return text;
}

std::string describe_coverage(const Statistics& statistics) {
  const Compatibility& compatibility = Compatibility::get();
  std::string text = "drawn, by property:\n";
  for (const auto& [property, count] : statistics.by_property()) {
    text += fmt::format("  {:<20} {:>10}\n", property, count);
  }
  text += "drawn, by size and share of time:\n";
  for (const Size size : kSizes) {
    text += fmt::format("  {:<20} {:>10} {:>6.1f} %\n", name_of(size), statistics.cases_of(size),
                        100 * statistics.share_of_time(size));
  }
  text += "drawn, by feature and level:\n";
  for (std::size_t f = 0; f < features().size(); ++f) {
    text += fmt::format("  {:<20}", features()[f].name);
    for (std::size_t l = 0; l < features()[f].levels.size(); ++l) {
      text += fmt::format("{}{}: {}", l == 0 ? "" : "; ", features()[f].levels[l].name,
                          statistics.drawn(first_level(f) + l));
    }
    text += "\n";
  }
  text += fmt::format("pairs of levels: {} drawn of {} possible\n", statistics.pairs_drawn(),
                      compatibility.pairs());
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a + 1; b < level_count(); ++b) {
      if (!compatibility.together(a, b) || statistics.drawn(a, b) > 0) continue;
      text += fmt::format("  never: {} with {}\n", level_text(a), level_text(b));
    }
  }
  std::map<std::string, std::vector<std::string>> impossible;
  for (const Compatibility::Exclusion& pair : compatibility.exclusions()) {
    impossible[pair.reason].push_back(
        fmt::format("{} with {}", level_text(pair.a), level_text(pair.b)));
  }
  text += fmt::format("pairs that no valid scenario has: {}\n", compatibility.exclusions().size());
  for (const auto& [reason, pairs] : impossible) {
    text += fmt::format("  {}: {}\n", reason, fmt::join(pairs, "; "));
  }
  return text;
}

}  // namespace helixcheck
