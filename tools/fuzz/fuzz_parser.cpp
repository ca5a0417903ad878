// Any bytes as the text of a scenario file: refused with one sentence, or read into something whose
// text reads back to the same. A statement that does not hold ends the process with its reason.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "scenario/names.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"

namespace {

using namespace helixcheck;

void require(bool holds, const char* statement, const std::string& about) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", statement, about.c_str());
  std::abort();
}

// A sentence that a person can read: one line, naming where the text came from.
void check_sentence(const std::string& sentence) {
  const bool one_line = sentence.find('\n') == std::string::npos;
  require(one_line && sentence.size() < 4096, "the refusal is not one short line", sentence);
  require(sentence.starts_with("input"), "the refusal does not name its origin", sentence);
}

Scenario from_arguments(const Scenario& scenario) {
  Scenario built;
  const std::vector<std::string> arguments = print_arguments(scenario);
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    apply_argument(built, arguments[i].substr(2), arguments[i + 1]);
  }
  return built;
}

void check_scenario(const Scenario& scenario) {
  const std::string text = print_scenario(scenario);
  require(parse_scenario(text, "printed") == scenario, "does not read back to the same", text);
  require(content_hash(scenario).size() == 16, "has no hash of 16 digits", text);
  short_name(scenario);
  print_cpp(scenario);
  if (const auto rule = find_error(scenario)) {
    require(rule->find('\n') == std::string::npos, "the broken rule is not one line", *rule);
    return;
  }
  require(memory_need_bytes(scenario) > 0, "needs no memory", text);
  require(from_arguments(scenario) == scenario, "its arguments build another scenario", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ScenarioFile file;
  try {
    file = parse_scenario_file(text, "input");
  } catch (const InputError& refusal) {
    check_sentence(refusal.what());
    return 0;
  }
  const std::string printed = print_scenario_file(file);
  const ScenarioFile again = parse_scenario_file(printed, "printed");
  require(again.scenario == file.scenario && again.before == file.before &&
              again.provenance == file.provenance,
          "the file does not read back to the same", printed);
  require(print_scenario_file(again) == printed, "the file prints another text", printed);
  check_scenario(file.scenario);
  for (const Scenario& before : file.before) check_scenario(before);
  return 0;
}
