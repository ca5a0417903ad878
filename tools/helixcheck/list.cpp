// `helixcheck list`: what there is.

#include <filesystem>
#include <fmt/format.h>

#include "campaign/corpus.hpp"
#include "device/cuda.hpp"
#include "helix/taps.hpp"
#include "mutants/half.hpp"
#include "options.hpp"
#include "property/property.hpp"
#include "report/table.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "scenario/names.hpp"
#include "subject/mutants/mutants.hpp"
#include "subject/subject.hpp"
#include "verdict/contract.hpp"

namespace helixcheck {
namespace {

Table scenario_table(const Options& options) {
  const std::filesystem::path corpus =
      options.corpus.empty() ? default_corpus() : std::filesystem::path(options.corpus);
  Table table{"scenarios", {"name", "hash", "labels", "file"}, {}};
  for (const CorpusEntry& entry :
       select_scenarios(find_scenarios({corpus.string()}, corpus), options.select, {})) {
    const Scenario& s = entry.scenario;
    table.rows.push_back({s.name, content_hash(s), fmt::format("{}", fmt::join(s.labels, ",")),
                          entry.file.string()});
  }
  return table;
}

Table model_table() {
  Table table{"models", {"name", "hidden", "heads", "q_lora", "kv_lora", "nope", "rope", "v"}, {}};
  for (const ModelShape& model : model_shapes()) {
    const Problem& p = model.problem;
    std::vector<std::string> row{std::string(model.name)};
    for (const std::int64_t value : {p.hidden_size, p.num_heads, p.q_lora_rank, p.kv_lora_rank,
                                     p.qk_nope_head_dim, p.qk_rope_head_dim, p.v_head_dim}) {
      row.push_back(fmt::format("{}", value));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table subject_table() {
  Table table{"subjects", {"name", "contract", "memory"}, {}};
  for (const hxc_subject* subject : builtin_subjects()) {
    table.rows.push_back({subject->name, subject->contract, "host"});
  }
  // Their contracts have their names; the GPU that they need is not asked for here.
  for (const std::string_view subject : cuda::subject_names()) {
    table.rows.push_back({std::string(subject), std::string(subject), "GPU"});
  }
  return table;
}

Table property_table() {
  Table table{"properties", {"name", "about"}, {}};
  for (const Property& property : properties()) {
    table.rows.push_back({std::string(property.name), std::string(property.about)});
  }
  return table;
}

Table contract_table() {
  Table table{"contracts", {"name", "about"}, {}};
  for (const Contract& contract : contracts()) {
    table.rows.push_back({std::string(contract.name), std::string(contract.about)});
  }
  return table;
}

Table tap_table() {
  Table table{"taps", {"tap", "stage"}, {}};
  for (int i = 0; i < kTapCount; ++i) {
    const auto tap = static_cast<Tap>(i);
    table.rows.push_back({std::string(name_of(tap)), std::string(name_of(stage_of(tap)))});
  }
  return table;
}

Table mutant_table() {
  Table table{"mutants", {"id", "class", "stage", "half", "memory", "source", "what is wrong"}, {}};
  for (const Mutant& mutant : mutants()) {
    table.rows.push_back({std::string(mutant.id), std::string(name_of(mutant.mutant_class)),
                          stage_name(mutant.stage), std::string(name_of(half_of(mutant.id))),
                          std::string(name_of(mutant.memory())), std::string(mutant.source),
                          std::string(mutant.title)});
  }
  return table;
}

}  // namespace

int list_verb(const Options& options) {
  const std::string what = options.targets.empty() ? "scenarios" : options.targets.front();
  Table table;
  if (what == "scenarios") {
    table = scenario_table(options);
  } else if (what == "models") {
    table = model_table();
  } else if (what == "subjects") {
    table = subject_table();
  } else if (what == "properties") {
    table = property_table();
  } else if (what == "contracts") {
    table = contract_table();
  } else if (what == "taps") {
    table = tap_table();
  } else if (what == "mutants") {
    table = mutant_table();
  } else {
    throw InputError(fmt::format(
        "list '{}': there are scenarios, models, subjects, properties, contracts, taps and mutants",
        what));
  }
  fmt::print("{}", options.json ? json_of(std::vector<Table>{table}) : text_of(table));
  return kPass;
}

}  // namespace helixcheck
