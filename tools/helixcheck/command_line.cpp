// The one file that includes CLI11. It parses; the verbs act.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>
#include <map>

#include "options.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

constexpr const char* kFooter =
    "Exit status: 0 pass, 1 finding, 2 bad usage or input, 3 something is missing on this machine.";

void add_common(CLI::App& verb, Options& options) {
  verb.add_flag("--json", options.json, "print one JSON document on standard output");
  verb.add_option("--corpus", options.corpus, "folder in which names are looked up");
}

void add_running(CLI::App& verb, Options& options) {
  verb.add_option("--subject", options.subject, "cpu, cpu_p16, or the path of a plug-in (.so)");
  verb.add_option("--contract", options.contract, "judge by this contract, not the declared one");
  verb.add_option("--hang-limit", options.hang_limit_s,
                  "seconds a rank may stay in one stage under MPI (default 20)")
      ->check(CLI::Range(1, 86400));
}

// Scenario options keep the order in which they were given: --model before --num-heads.
void add_fields(CLI::App& verb, Options& options) {
  for (const ArgumentHelp& argument : scenario_arguments()) {
    const std::string option = argument.option;
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

  CLI::App* list = app.add_subcommand("list", "print what there is");
  list->add_option("what", options.targets,
                   "scenarios (default), models, subjects, contracts, taps")
      ->expected(0, 1);
  list->add_option("-k,--select", options.select, "only scenarios whose name contains this text")
      ->allow_extra_args(false);
  add_common(*list, options);

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
