// The one file that includes CLI11. It parses; the verbs act.

#include <CLI/CLI.hpp>
#include <charconv>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <set>

#include "options.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

constexpr const char* kFooter =
    "Exit status: 0 pass, 1 finding, 2 bad usage or input, 3 something is missing on this "
    "machine,\n"
    "130 interrupted without a finding.";

void add_common(CLI::App& verb, Options& options) {
  verb.add_flag("--json", options.json, "print one JSON document on standard output");
  verb.add_option("--corpus", options.corpus, "folder in which names are looked up");
}

void add_running(CLI::App& verb, Options& options) {
  verb.add_option_function<std::string>(
      "--subject",
      [&options](const std::string& subject) {
        options.subject = subject;
        options.subject_given = true;
      },
      "a built-in one (list subjects), or the path of a plug-in (.so)");
  verb.add_option("--contract", options.contract, "judge by this contract, not the declared one");
  verb.add_option("--hang-limit", options.hang_limit_s,
                  "seconds a rank may stay in one stage under MPI (default 20)")
      ->check(CLI::Range(1, 86400));
}

// Scenario options keep the order in which they were given: --model before --num-heads.
void add_fields(CLI::App& verb, Options& options, const std::set<std::string>& without = {}) {
  for (const ArgumentHelp& argument : scenario_arguments()) {
    const std::string option = argument.option;
    if (without.contains(option)) continue;
    verb.add_option_function<std::vector<std::string>>(
            "--" + option,
            [&options, option](const std::vector<std::string>& values) {
              for (const std::string& value : values) options.fields.emplace_back(option, value);
            },
            argument.help)
        ->group("Scenario")
        ->type_name("VALUE")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->trigger_on_parse();
  }
}

// "90", "90s", "10m", "8h".
double parse_duration(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  static const std::map<std::string, double> kUnits{{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const auto known = kUnits.find(unit);
  if (error != std::errc() || known == kUnits.end() || !(value > 0) || value > 1e6) {
    throw InputError(fmt::format(
        "--time is \"{}\", but it must be seconds, or a number with s, m or h, above 0", text));
  }
  return value * known->second;
}

void add_property(CLI::App& verb, Options& options) {
  verb.add_option("--property", options.properties, "the property to check (list properties)")
      ->expected(1)
      ->allow_extra_args(false);
}

void add_shrinking(CLI::App& verb, Options& options) {
  verb.add_option("--jobs", options.jobs, "workers (default: cores; 1 for a plug-in)")
      ->check(CLI::Range(1, 1024));
  verb.add_option("--shrink-evaluations", options.shrink_evaluations,
                  "most scenarios tried while shrinking (default 4000)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  verb.add_option("--shrink-time", options.shrink_seconds,
                  "most seconds spent shrinking one finding (default 60)")
      ->check(CLI::Range(0.0, 1e6));
}

void add_check(CLI::App& app, Options& options) {
  CLI::App* check =
      app.add_subcommand("check", "draw scenarios, check properties, shrink failures");
  check->add_option("--seed", options.seed,
                    "of the series: case i depends on it and i (default 1)");
  check->add_option("--first", options.first, "number of the first case (default 0)")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62));
  check->add_option("--cases", options.cases, "how many (default 20000, without --time)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  check->add_option_function<std::string>(
      "--time", [&options](const std::string& text) { options.seconds = parse_duration(text); },
      "how long to search: seconds, or with s, m, h");
  check->add_option("--property", options.properties, "only these (list properties); repeatable")
      ->allow_extra_args(false);
  check->add_option("--max-findings", options.max_findings, "stop after so many (default 5)")
      ->check(CLI::Range(1, 1000));
  check
      ->add_option("--min-judged", options.min_judged,
                   "share of cases below which a search proves too little and ends with status 2 "
                   "(default 0.1; with --property 0)")
      ->check(CLI::Range(0.0, 1.0));
  check
      ->add_option("--world", options.world,
                   "sim, or mpi: equivalence only, in ranks that live from case to case")
      ->check(CLI::IsMember({"sim", "mpi"}));
  check->add_option("--ranks", options.ranks, "most ranks of a case under --world mpi (default 4)")
      ->check(CLI::Range(1, 1024));
  check->add_flag("--stats", options.stats, "print how often features and pairs were drawn");
  check->add_flag("!--no-store", options.store, "do not write findings to the corpus");
  add_common(*check, options);
  add_running(*check, options);
  add_shrinking(*check, options);
}

void add_fuzz(CLI::App& app, Options& options) {
  CLI::App* fuzz = app.add_subcommand("fuzz", "a campaign: search for hours, survive everything");
  fuzz->add_option("--store", options.campaign_store,
                   "SQLite file of campaigns; an unfinished one goes on (default campaign.db)");
  fuzz->add_option_function<std::string>(
      "--time", [&options](const std::string& text) { options.seconds = parse_duration(text); },
      "how long to search: seconds, or with s, m, h; from the campaign's beginning");
  fuzz->add_option("--cases", options.cases, "how many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  fuzz->add_option_function<std::uint64_t>(
      "--seed",
      [&options](std::uint64_t seed) {
        options.seed = seed;
        options.seed_given = true;
      },
      "of the series of cases (default: the campaign's number in its store)");
  fuzz->add_flag("--new", options.fresh_campaign, "begin a campaign even if one could go on");
  fuzz->add_flag("!--unguided", options.guided, "draw every case anew, as check does");
  fuzz->add_option("--property", options.properties, "only these (list properties); repeatable")
      ->allow_extra_args(false);
  fuzz->add_option("--max-findings", options.max_findings, "stop after so many new ones (100)")
      ->check(CLI::Range(1, 100000));
  fuzz->add_option("--case-timeout", options.case_seconds,
                   "seconds after which a case hangs (default 60)")
      ->check(CLI::Range(0.1, 1e6));
  fuzz->add_option("--memory-limit", options.memory_limit_mib,
                   "MiB that a worker may use (default: three quarters of the memory for all)")
      ->check(CLI::Range(std::int64_t{64}, std::int64_t{1} << 30));
  fuzz->add_option("--observations", options.observations,
                   "append a line of JSON for each case to this file");
  fuzz->add_option("--world", options.world, "sim, or mpi: equivalence only, in ranks")
      ->check(CLI::IsMember({"sim", "mpi"}));
  fuzz->add_option("--ranks", options.ranks, "most ranks of a case under --world mpi (default 4)")
      ->check(CLI::Range(1, 1024));
  fuzz->add_flag("!--no-corpus", options.store,
                 "neither run the corpus first nor write findings to it");
  add_common(*fuzz, options);
  add_running(*fuzz, options);
  add_shrinking(*fuzz, options);
}

void add_shrink_and_explain(CLI::App& app, Options& options) {
  CLI::App* shrink = app.add_subcommand("shrink", "make a failing scenario as simple as it can be");
  CLI::App* explain = app.add_subcommand("explain", "say which fields of a failure matter");
  for (CLI::App* verb : {shrink, explain}) {
    verb->add_option("scenario", options.targets, "file or name; or describe it by the options")
        ->expected(0, 1);
    add_property(*verb, options);
    add_common(*verb, options);
    add_running(*verb, options);
    add_shrinking(*verb, options);
    add_fields(*verb, options);
  }
  shrink->add_option("--output", options.output, "write the result as a scenario file");
}

void add_bench(CLI::App& app, Options& options) {
  CLI::App* bench = app.add_subcommand("bench", "time a decode step and its stages");
  const auto add_list = [&](const char* name, std::vector<std::int64_t>& list, const char* help) {
    bench->add_option(name, list, help)->delimiter(',')->check(CLI::Range(1, 1 << 30));
  };
  bench->add_option("--shapes", options.shapes,
                    "a list of shapes: flashmla, guide; --kvp replaces its number of ranks");
  add_list("--batch", options.batches, "requests; lists (8,64) make a table (default 1)");
  add_list("--heads", options.heads, "query heads (default 32)");
  add_list("--ctx-len", options.ctx_lens, "keys of a request over all ranks (default 4096)");
  add_list("--kvp", options.kvps, "ranks that share the keys (default 2)");
  bench->add_option("--layers", options.layers, "tokens/s of so many layers (default 1)")
      ->check(CLI::Range(1, 10000));
  bench
      ->add_option("--min-roof", options.min_roof,
                   "fail if attention reaches less of the roofline, per cent")
      ->check(CLI::Range(0.0, 100.0));
  bench->add_option("--samples", options.samples, "of each time, unless --seconds end before (100)")
      ->check(CLI::Range(1, 1000000));
  bench->add_option("--seconds", options.sample_seconds, "for the samples of each time (0.5)")
      ->check(CLI::Range(0.001, 3600.0));
  bench->add_flag("--warm-l2", options.warm_cache, "do not flush the cache before each sample");
  bench->add_flag("!--no-graph", options.record, "launch each time instead of running a recording");
  add_common(*bench, options);
  add_running(*bench, options);
  add_fields(*bench, options, {"batch", "ctx-len", "kvp", "num-heads", "script", "step"});
}

void add_mutants(CLI::App& app, Options& options) {
  CLI::App* mutants =
      app.add_subcommand("mutants", "score what is found of planted faults (list mutants)");
  mutants->add_option("id", options.targets, "only these; default: all")->expected(0, -1);
  mutants->add_option("--seeds", options.seeds, "series of cases: seeds 1 .. N (default 20)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100000}));
  mutants->add_option("--cases", options.cases, "of each seed (default 5000)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  mutants->add_option("--class", options.mutant_class, "only mutants of this class");
  mutants->add_option("--half", options.half, "only mutants of this half: tuning, held-out")
      ->check(CLI::IsMember({"tuning", "held-out"}));
  mutants
      ->add_option("--memory", options.memory,
                   "host: of the CPU subject (default); cuda: of device code")
      ->check(CLI::IsMember({"host", "cuda"}));
  mutants
      ->add_option("--suite", options.suite,
                   "search (default), or fixed8: the scenarios of the fixed test")
      ->check(CLI::IsMember({"search", "fixed8"}));
  mutants
      ->add_option("--verdict", options.mutant_verdict,
                   "bounds (default), or for fixed8 mismatch: the fixed test's tolerance")
      ->check(CLI::IsMember({"bounds", "mismatch"}));
  mutants->add_option("--output", options.output, "folder for the shrunk scenarios");
  add_common(*mutants, options);
  add_shrinking(*mutants, options);
}

void add_corpus(CLI::App& app, Options& options) {
  CLI::App* corpus = app.add_subcommand("corpus", "look after the corpus: age, merge, prune");
  corpus
      ->add_option("what", options.targets,
                   "age: move findings by whether they still fail. merge FROM...: add what shows "
                   "something new to coverage/. prune: take out what does not")
      ->required();
  corpus
      ->add_option("--days", options.days_to_regression,
                   "age: that a finding must pass to become a regression test (default 14)")
      ->check(CLI::Range(0, 36500));
  add_common(*corpus, options);
  add_running(*corpus, options);
}

void add_merge(CLI::App& app, Options& options) {
  CLI::App* merge = app.add_subcommand("merge", "copy campaign stores into one");
  merge->add_option("into", options.output, "the store to copy into; made if it is missing")
      ->required();
  merge->add_option("stores", options.targets, "those to copy from")->required();
  merge->add_flag("--json", options.json, "print one JSON document on standard output");
}

void add_report(CLI::App& app, Options& options) {
  CLI::App* report = app.add_subcommand("report", "make a page of a campaign's store");
  report->add_option("store", options.targets, "the store that fuzz has written")
      ->required()
      ->expected(1);
  report->add_option("--output", options.output,
                     "the page (default: named as the store, .html; with --json: none)");
  CLI::Option* campaign = report->add_option("--campaign", options.campaign,
                                             "its number in the store (default: the last)");
  report
      ->add_flag("--together", options.together,
                 "all campaigns of the store as one: the shards of a search")
      ->excludes(campaign);
  report->add_option("--sarif", options.sarif, "also write the findings as SARIF 2.1.0");
  report->add_flag("--json", options.json, "print one JSON document on standard output");
}

// CLI11 would only say that a subcommand is missing.
void require_verb(const CLI::App& app, const std::string& word) {
  std::string known;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->get_name() == word) return;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", verb->get_name());
  }
  throw InputError(
      fmt::format("there is no verb '{}'; there are {} (see helixcheck --help)", word, known));
}

}  // namespace

std::optional<Options> parse_command_line(int argc, const char* const* argv) {
  Options options;
  options.arguments.assign(argv, argv + argc);
  CLI::App app("Property-based differential tester for Helix-parallel MLA decode attention",
               "helixcheck");
  app.footer(kFooter);
  app.set_version_flag("--version", HELIXCHECK_VERSION);
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand("run", "run one scenario and print its verdict tap by tap");
  run->add_option("scenario", options.targets, "file or name; without one, the options describe it")
      ->expected(0, 1);
  add_common(*run, options);
  add_running(*run, options);
  run->add_flag("-v,--verbose", options.verbose, "print shapes and statistics of every tap");
  run->add_option("--dump", options.dump, "write every tap as safetensors into this folder");
  add_property(*run, options);
  add_fields(*run, options);

  CLI::App* replay = app.add_subcommand("replay", "run scenarios of the corpus");
  replay->add_option("targets", options.targets, "files, folders or names (default: the corpus)");
  replay->add_option("-k,--select", options.select, "only names that contain this text")
      ->allow_extra_args(false);
  replay->add_option("--without-label", options.without_labels, "leave out this label")
      ->allow_extra_args(false);
  add_common(*replay, options);
  add_running(*replay, options);
  add_fields(*replay, options);

  add_check(app, options);
  add_shrink_and_explain(app, options);

  CLI::App* list = app.add_subcommand("list", "print what there is");
  list->add_option("what", options.targets,
                   "scenarios (default), models, subjects, properties, contracts, taps, mutants")
      ->expected(0, 1);
  list->add_option("-k,--select", options.select, "only scenarios whose name contains this text")
      ->allow_extra_args(false);
  add_common(*list, options);

  add_corpus(app, options);
  add_fuzz(app, options);
  add_merge(app, options);
  add_mutants(app, options);
  add_report(app, options);
  add_bench(app, options);
  add_common(*app.add_subcommand("doctor", "print what this machine can do"), options);

  if (argc > 1 && argv[1][0] != '-') require_verb(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw InputError(fmt::format("{} (see helixcheck --help)", error.what()));
  }
  options.verb = app.get_subcommands().front()->get_name();
  return options;
}

}  // namespace helixcheck
