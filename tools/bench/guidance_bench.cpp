// How much sooner guidance finds rare faults than the series of cases does: for each planted fault,
// trials of both with a budget, each in a process of its own, until the first case that fails.
//
// Trial t of both searches has the same seed. A trial that finds nothing within the budget counts
// as later than all that did. Seconds are of processor time, preparations included.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

#include "process_pool.hpp"
#include "rank_statistics.hpp"
#include "rare_faults.hpp"
#include "scenario/error.hpp"
#include "search_trials.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Options {
  std::uint64_t trials = 20, seed = 1;
  std::optional<std::uint64_t> cases;
  double seconds = 10;
  int jobs = 1;
  std::vector<std::string> faults;
  std::string json;  // file
  bool rate = false, list = false;
  std::uint64_t rate_cases = 1000000, rate_chunk = 20000;
  std::optional<double> threshold;
};

std::vector<std::size_t> chosen_faults(const Options& options) {
  const std::span<const RareFault> all = rare_faults();
  std::vector<std::size_t> chosen;
  for (const std::string& name : options.faults) {
    chosen.push_back(static_cast<std::size_t>(&find_rare_fault(name) - all.data()));
  }
  for (std::size_t i = 0; options.faults.empty() && i < all.size(); ++i) chosen.push_back(i);
  return chosen;
}

// On a terminal one line that changes, else about twenty lines.
void report_progress(std::size_t ended, std::size_t of) {
  if (isatty(STDERR_FILENO) == 1) {
    fmt::print(stderr, "\r{} of {}{}", ended, of, ended == of ? "\n" : "");
  } else if (ended * 20 / of != (ended - 1) * 20 / of) {
    fmt::print(stderr, "{} of {}\n", ended, of);
  }
}

void write_json(const Options& options, const Json& json) {
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << json.dump(2) << '\n';
  if (!file) throw ResourceError(fmt::format("{} cannot be written", options.json));
}

// Rates.

std::string counts_text(const FailureCount& count) {
  std::string text;
  for (std::size_t f = 0; f < count.met.size(); ++f) {
    text += fmt::format("{} {} ", count.met[f], count.failed[f]);
  }
  return text;
}

// Each numeric fault has passes of its own, the others share one.
std::vector<std::vector<std::size_t>> passes_of(const std::vector<std::size_t>& faults) {
  std::vector<std::vector<std::size_t>> passes(1);
  for (const std::size_t fault : faults) {
    if (rare_faults()[fault].numeric) {
      passes.push_back({fault});
    } else {
      passes[0].push_back(fault);
    }
  }
  if (passes[0].empty()) passes.erase(passes.begin());
  return passes;
}

void measure_rates(const Options& options) {
  const std::vector<std::size_t> faults = chosen_faults(options);
  const std::vector<std::vector<std::size_t>> passes = passes_of(faults);
  const std::uint64_t chunks = (options.rate_cases + options.rate_chunk - 1) / options.rate_chunk;
  const std::size_t tasks = passes.size() * chunks;
  std::vector<std::uint64_t> met(rare_faults().size()), failed(met.size());
  std::size_t ended = 0;
  const auto work = [&](std::size_t task) {
    return counts_text(
        count_failures(passes[task / chunks], options.seed + task % chunks, options.rate_chunk));
  };
  const auto done = [&](std::size_t, const std::string& text) {
    std::istringstream in(text);
    for (std::size_t f = 0; f < met.size(); ++f) {
      std::uint64_t more_met = 0, more_failed = 0;
      in >> more_met >> more_failed;
      met[f] += more_met;
      failed[f] += more_failed;
    }
    report_progress(++ended, tasks);
  };
  run_apart(tasks, options.jobs, work, done);
  const std::uint64_t cases = chunks * options.rate_chunk;
  Json json{{"cases", cases}, {"seed", options.seed}, {"cases_a_seed", options.rate_chunk}};
  fmt::print(
      "| fault | kind | cases | conditions met | failed | rate |\n|---|---|---|---|---|---|\n");
  for (const std::size_t f : faults) {
    const RareFault& fault = rare_faults()[f];
    const double rate = static_cast<double>(failed[f]) / static_cast<double>(cases);
    fmt::print("| `{}` | {} | {} | {} | {} | {:.2g} |\n", fault.name,
               fault.numeric ? "numeric" : "conditions", cases,
               fault.numeric ? "" : std::to_string(met[f]), failed[f], rate);
    json["faults"].push_back({{"name", fault.name},
                              {"numeric", fault.numeric},
                              {"met", met[f]},
                              {"failed", failed[f]},
                              {"rate", rate}});
  }
  write_json(options, json);
}

// Comparison.

struct Sample {
  std::vector<Trial> trials;

  std::vector<double> cases() const {
    std::vector<double> values;
    for (const Trial& t : trials) values.push_back(t.found ? static_cast<double>(t.cases) : kNever);
    return values;
  }
  std::vector<double> seconds() const {
    std::vector<double> values;
    for (const Trial& t : trials) values.push_back(t.found ? t.seconds : kNever);
    return values;
  }
  std::size_t found() const {
    return static_cast<std::size_t>(
        std::count_if(trials.begin(), trials.end(), [](const Trial& t) { return t.found; }));
  }
  std::uint64_t cases_run() const {
    std::uint64_t sum = 0;
    for (const Trial& t : trials) sum += t.cases;
    return sum;
  }
};

struct Comparison {
  Sample series, guided;
};

std::string quantity(double value, int digits) {
  return std::isinf(value) ? "never" : fmt::format("{:.{}f}", value, digits);
}

// How many times sooner; "" where neither median was reached.
std::string times_sooner(double series, double guided, double budget) {
  if (std::isinf(series) && std::isinf(guided)) return "";
  if (std::isinf(series)) return fmt::format("> {:.2g}", budget / guided);
  if (std::isinf(guided)) return fmt::format("< {:.2g}", series / budget);
  return fmt::format("{:.2g}", series / guided);
}

void print_header() {
  fmt::print(
      "| fault | kind | rate | found: series | guided | cases, median: series | guided | seconds, "
      "median: series | guided | times sooner | A12 | p |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

Json trials_json(const Sample& sample) {
  Json json = Json::array();
  for (const Trial& t : sample.trials) {
    json.push_back({{"found", t.found}, {"cases", t.cases}, {"seconds", t.seconds}});
  }
  return json;
}

// A12 and p are of the seconds; the file has those of the cases besides.
Json report(const RareFault& fault, const Comparison& both, const Options& options) {
  const std::vector<double> series = both.series.seconds(), guided = both.guided.seconds();
  const double rate = static_cast<double>(both.series.found()) /
                      static_cast<double>(std::max<std::uint64_t>(1, both.series.cases_run()));
  const double sooner = probability_smaller(guided, series);
  const double p = mann_whitney_p(guided, series);
  const std::size_t n = series.size();
  fmt::print("| `{}` | {} | {:.1e} | {}/{} | {}/{} | {} | {} | {} | {} | {} | {:.2f} | {:.2g} |\n",
             fault.name, fault.numeric ? "numeric" : "conditions", rate, both.series.found(), n,
             both.guided.found(), n, quantity(median(both.series.cases()), 0),
             quantity(median(both.guided.cases()), 0), quantity(median(series), 2),
             quantity(median(guided), 2),
             times_sooner(median(series), median(guided), options.seconds), sooner, p);
  std::fflush(stdout);
  return {{"name", fault.name},
          {"about", fault.about},
          {"numeric", fault.numeric},
          {"rate", rate},
          {"a12_seconds", sooner},
          {"p_seconds", p},
          {"a12_cases", probability_smaller(both.guided.cases(), both.series.cases())},
          {"p_cases", mann_whitney_p(both.guided.cases(), both.series.cases())},
          {"series", trials_json(both.series)},
          {"guided", trials_json(both.guided)}};
}

// Tasks alternate between the searches, so that both meet the same machine.
void compare(const Options& options) {
  const std::vector<std::size_t> faults = chosen_faults(options);
  const std::size_t each = 2 * options.trials, tasks = faults.size() * each;
  std::vector<Comparison> results(faults.size());
  const TrialBudget budget{options.cases, options.seconds};
  Json json{{"trials", options.trials}, {"seconds", options.seconds}, {"seed", options.seed}};
  if (options.cases) json["cases"] = *options.cases;
  print_header();
  std::size_t ended = 0;
  const auto work = [&](std::size_t task) {
    const Subject subject(cpu::subject(), rare_faults()[faults[task / each]].subject);
    const Trial trial = search_for(subject, task % 2 == 0 ? Search::series : Search::guided,
                                   options.seed + task % each / 2, budget);
    return fmt::format("{} {} {}", static_cast<int>(trial.found), trial.cases, trial.seconds);
  };
  const auto done = [&](std::size_t task, const std::string& text) {
    Trial trial;
    std::istringstream(text) >> trial.found >> trial.cases >> trial.seconds;
    const std::size_t fault = task / each;
    Comparison& both = results[fault];
    (task % 2 == 0 ? both.series : both.guided).trials.push_back(trial);
    report_progress(++ended, tasks);
    if (both.series.trials.size() + both.guided.trials.size() < each) return;
    json["faults"].push_back(report(rare_faults()[faults[fault]], both, options));
    write_json(options, json);  // each time: what is cut short keeps what it has
  };
  run_apart(tasks, options.jobs, work, done);
}

void run(const Options& options) {
  if (options.threshold) {
    for (const std::string& fault : options.faults) set_threshold(fault, *options.threshold);
  }
  if (options.list) {
    for (const RareFault& fault : rare_faults()) fmt::print("{:24}{}\n", fault.name, fault.about);
  } else if (options.rate) {
    measure_rates(options);
  } else {
    compare(options);
  }
}

}  // namespace
}  // namespace helixcheck

int main(int argc, char** argv) {
  helixcheck::Options options;
  CLI::App app("Guided against unguided search for rare planted faults, as a Markdown table");
  app.add_option("--trials", options.trials, "of each search and fault")
      ->check(CLI::Range(1, 10000));
  app.add_option("--seconds", options.seconds, "of processor time, budget of a trial");
  app.add_option("--cases", options.cases, "budget of a trial");
  app.add_option("--jobs", options.jobs, "processes side by side")->check(CLI::Range(1, 1024));
  app.add_option("--seed", options.seed, "of the first trial");
  app.add_option("--fault", options.faults, "this one alone; may be repeated");
  app.add_option("--json", options.json, "file for all figures");
  app.add_flag("--list", options.list, "print the faults");
  app.add_flag("--rate", options.rate, "measure how often a case of the series fails instead");
  app.add_option("--rate-cases", options.rate_cases, "cases a fault");
  app.add_option("--rate-chunk", options.rate_chunk, "cases of one seed")
      ->check(CLI::Range(1, 100000000));
  app.add_option("--threshold", options.threshold, "instead of the tuned one of --fault");
  CLI11_PARSE(app, argc, argv);
  try {
    helixcheck::run(options);
  } catch (const helixcheck::InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  } catch (const helixcheck::ResourceError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
  return 0;
}
