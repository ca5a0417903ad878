// A scenario as command-line options, and back. Options are the fields' names with dashes; what is
// no plain field is `--batch` (repeats one length), `--model`, `--step`, `--name` and `--label`.

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"
#include "scenario/fields.hpp"
#include "scenario/print.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

std::string option_of(std::string_view field_name) {
  std::string option(field_name);
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

std::string heavy_text(const HeavyKey& key) {
  std::string text;
  visit_fields([&text](const Field&,
                       const auto& value) { text += (text.empty() ? "" : ":") + to_text(value); },
               key);
  return text;
}

std::string step_text(const Step& step) {
  std::string text = to_text(step.kind);
  if (!step.requests.empty() || !step.tokens.empty()) text += ":" + join(step.requests, ",");
  if (!step.tokens.empty()) text += ":" + join(step.tokens, ",");
  return text;
}

class ArgumentPrinter {
 public:
  template <Scalar T>
  void operator()(const Field& field, const T& value, const T& standard) {
    if (value != standard) add(field.name, to_text(value));
  }
  void operator()(const Field& field, const std::vector<std::int64_t>& lengths,
                  const std::vector<std::int64_t>& standard) {
    if (lengths == standard) return;
    if (!all_equal(lengths)) return add(field.name, join(lengths, ","));
    if (lengths.size() != standard.size()) add("batch", to_text(lengths.size()));
    if (lengths.front() != standard.front()) add(field.name, to_text(lengths.front()));
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& value,
                  const std::optional<RopeScaling>& standard) {
    if (value == standard) return;
    add(field.name, value ? "yarn" : "none");
    const RopeScaling plain;
    if (value) visit_fields(*this, *value, plain);
  }
  void operator()(const Field& field, const std::vector<HeavyKey>& keys,
                  const std::vector<HeavyKey>&) {
    for (const HeavyKey& key : keys) add(field.name, heavy_text(key));
  }
  void operator()(const Field&, const Data& value, const Data& standard) {
    visit_fields(*this, value, standard);
  }

  void add(std::string_view name, std::string value) {
    arguments_.push_back("--" + option_of(name));
    arguments_.push_back(std::move(value));
  }
  std::vector<std::string> take() { return std::move(arguments_); }

 private:
  std::vector<std::string> arguments_;
};

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view rule) {
  throw InputError(fmt::format("--{} is {}, but it must be {}", option, quote(value), rule));
}

template <typename T>
std::vector<T> parse_list(std::string_view option, std::string_view value, std::string_view part) {
  std::vector<T> list;
  if (part.empty()) return list;
  for (const std::string_view item : split(part, ',')) {
    list.emplace_back();
    if (!from_text(item, list.back())) {
      refuse(option, value, fmt::format("a list of integers, and \"{}\" is none", item));
    }
  }
  return list;
}

// Applies one option to the field of that name.
class ArgumentSetter {
 public:
  ArgumentSetter(std::string_view option, std::string_view value)
      : option_(option), value_(value) {}

  template <Scalar T>
  void operator()(const Field& field, T& target) {
    if (!takes(field)) return;
    const bool optional = std::same_as<T, std::optional<double>>;
    if (!from_text(value_, target)) {
      refuse(option_, value_, wanted<T>() + (optional ? " or none" : ""));
    }
  }
  // One length keeps the batch, a list sets it.
  void operator()(const Field& field, std::vector<std::int64_t>& lengths) {
    if (!takes(field)) return;
    const auto list = parse_list<std::int64_t>(option_, value_, value_);
    if (list.empty()) refuse(option_, value_, "an integer, or a list such as 64,100,7");
    if (list.size() > 1) {
      lengths = list;
    } else {
      std::fill(lengths.begin(), lengths.end(), list.front());
    }
  }
  // The options of YaRN switch it on.
  void operator()(const Field& field, std::optional<RopeScaling>& scaling) {
    if (takes(field)) {
      if (value_ != "yarn" && value_ != "none") refuse(option_, value_, "yarn or none");
      if (value_ == "none") scaling.reset();
      if (value_ == "yarn" && !scaling) scaling.emplace();
      return;
    }
    RopeScaling changed = scaling.value_or(RopeScaling{});
    ArgumentSetter inner(option_, value_);
    visit_fields(inner, changed);
    if (inner.taken_) scaling = changed;
    taken_ = taken_ || inner.taken_;
  }
  void operator()(const Field& field, std::vector<HeavyKey>& keys) {
    if (!takes(field)) return;
    const std::vector<std::string_view> parts = split(value_, ':');
    HeavyKey key;
    std::size_t part = 0;
    bool good = true;
    visit_fields(
        [&](const Field&, auto& target) {
          good = good && part < parts.size() && from_text(parts[part], target);
          ++part;
        },
        key);
    if (!good || part != parts.size()) {
      refuse(option_, value_, "place:head:kvp_rank:mass, such as newest:3:1:0.5");
    }
    keys.push_back(key);
  }
  void operator()(const Field&, Data& data) { visit_fields(*this, data); }

  bool taken() const { return taken_; }

 private:
  bool takes(const Field& field) {
    const bool takes = option_of(field.name) == option_;
    taken_ = taken_ || takes;
    return takes;
  }

  std::string_view option_, value_;
  bool taken_ = false;
};

void apply_batch(Scenario& scenario, std::string_view value) {
  std::int64_t batch = 0;
  if (!from_text(value, batch) || batch < 1 || batch > kMaxBatch) {
    refuse("batch", value, fmt::format("an integer between 1 and {}", kMaxBatch));
  }
  std::vector<std::int64_t>& lengths = scenario.problem.ctx_len;
  if (std::ssize(lengths) == batch) return;
  if (lengths.empty() || !all_equal(lengths)) {
    refuse("batch", value, fmt::format("{}, the number of lengths in ctx_len", lengths.size()));
  }
  lengths.assign(static_cast<std::size_t>(batch), lengths.front());
}

void apply_step(Scenario& scenario, std::string_view value) {
  const std::vector<std::string_view> parts = split(value, ':');
  Step step;
  if (parts.size() > 3 || !from_text(parts[0], step.kind)) {
    refuse("step", value,
           "kind:requests:tokens, such as decode:0,1:1,4, and the kind " + wanted<StepKind>());
  }
  if (parts.size() > 1) step.requests = parse_list<std::int64_t>("step", value, parts[1]);
  if (parts.size() > 2) step.tokens = parse_list<std::int64_t>("step", value, parts[2]);
  scenario.script.push_back(std::move(step));
}

// The options that are no plain field.
struct OtherOption {
  std::string_view name;
  std::string_view help;
  void (*apply)(Scenario&, std::string_view value);
};
constexpr std::array kOtherOptions{
    OtherOption{"model", "shape of a published model; what follows overrides it",
                [](Scenario& s, std::string_view value) { apply_model(value, s.problem); }},
    OtherOption{"batch", "number of requests of equal length", apply_batch},
    OtherOption{"step", "a script step, kind:requests:tokens; repeatable", apply_step},
    OtherOption{"name", "name of the scenario",
                [](Scenario& s, std::string_view value) { s.name = value; }},
    OtherOption{"label", "a label for selection; repeatable",
                [](Scenario& s, std::string_view value) { s.labels.emplace_back(value); }},
};

// Lists the options of plain fields.
struct HelpCollector {
  std::vector<ArgumentHelp>& list;

  template <typename T>
  void operator()(const Field& field, const T& standard) {
    std::string help(field.help);
    if constexpr (Enumeration<T>) help += ": " + wanted<T>();
    if constexpr (Scalar<T> && !std::same_as<T, std::string>) {
      help += fmt::format(" [{}]", to_text(standard));
    }
    list.push_back({option_of(field.name), help});
  }
  void operator()(const Field& field, const std::optional<RopeScaling>&) {
    list.push_back({option_of(field.name), std::string(field.help)});
    const RopeScaling plain;
    visit_fields(*this, plain);
  }
  void operator()(const Field&, const Data& data) { visit_fields(*this, data); }
};

}  // namespace

std::vector<std::string> print_arguments(const Scenario& scenario) {
  const Scenario standard;
  ArgumentPrinter printer;
  visit_fields(printer, scenario.problem, standard.problem);
  visit_fields(printer, scenario.layout, standard.layout);
  visit_fields(printer, scenario.run, standard.run);
  for (const Step& step : scenario.script) printer.add("step", step_text(step));
  if (!scenario.name.empty()) printer.add("name", scenario.name);
  for (const std::string& label : scenario.labels) printer.add("label", label);
  return printer.take();
}

void apply_argument(Scenario& scenario, const std::string& option, const std::string& value) {
  for (const OtherOption& other : kOtherOptions) {
    if (other.name == option) return other.apply(scenario, value);
  }
  ArgumentSetter setter(option, value);
  visit_fields(setter, scenario.problem);
  visit_fields(setter, scenario.layout);
  visit_fields(setter, scenario.run);
  if (setter.taken()) return;

  std::vector<std::string_view> known;
  for (const ArgumentHelp& argument : scenario_arguments()) known.push_back(argument.option);
  const auto near = nearest(option, known);
  throw InputError(fmt::format("unknown option --{}{}", option,
                               near ? fmt::format("; did you mean --{}?", *near) : ""));
}

const std::vector<ArgumentHelp>& scenario_arguments() {
  static const std::vector<ArgumentHelp> arguments = [] {
    std::vector<ArgumentHelp> list;
    const Scenario standard;
    for (const OtherOption& other : kOtherOptions) {
      list.push_back({std::string(other.name), std::string(other.help)});
    }
    HelpCollector collector{list};
    visit_fields(collector, standard.problem);
    visit_fields(collector, standard.layout);
    visit_fields(collector, standard.run);
    return list;
  }();
  return arguments;
}

}  // namespace helixcheck
