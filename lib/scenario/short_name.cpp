// Short names: the batch and length first, then one suffix per field that differs from its default.

#include <algorithm>
#include <cctype>

#include "scenario/fields.hpp"
#include "scenario/names.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

// "-" and "." of numbers become letters, so that 0.1 and 01 stay different names.
std::string as_word(std::string text) {
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  for (char& c : text) {
    if (c == '.') c = 'p';
    if (c == '-') c = 'm';
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return text;
}

class ShortName {
 public:
  template <Scalar T>
  void operator()(const Field& field, const T& value, const T& standard) {
    if (value == standard) return;
    // A flag has one other value, which its suffix names.
    const std::string word = std::same_as<T, bool> ? "" : as_word(to_text(value));
    add(std::string(field.suffix) + word);
  }
  void operator()(const Field& field, const std::string& value, const std::string& standard) {
    if (value == standard) return;
    const bool path = value.find_first_of("/.#") != std::string::npos;
    add(path ? std::string(field.suffix) : std::string(field.suffix) + as_word(value));
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& value,
                  const std::optional<RopeScaling>& standard) {
    if (value == standard) return;
    add(value ? std::string(field.suffix) : "no" + std::string(field.suffix));
    const RopeScaling plain;
    if (value) visit_fields(*this, *value, plain);
  }
  void operator()(const Field& field, const std::vector<HeavyKey>& value,
                  const std::vector<HeavyKey>&) {
    if (!value.empty()) add(std::string(field.suffix) + std::to_string(value.size()));
  }
  void operator()(const Field&, const Data& value, const Data& standard) {
    visit_fields(*this, value, standard);
  }
  void operator()(const Field&, const std::vector<std::int64_t>&,
                  const std::vector<std::int64_t>&) {}  // ctx_len starts the name

  void add(const std::string& suffix) { suffixes_ += "_" + suffix; }
  const std::string& suffixes() const { return suffixes_; }

 private:
  std::string suffixes_;
};

}  // namespace

std::string short_name(const Scenario& scenario) {
  const std::vector<std::int64_t>& lengths = scenario.problem.ctx_len;
  const auto longest = std::max_element(lengths.begin(), lengths.end());
  const std::int64_t length = longest == lengths.end() ? 0 : *longest;
  const bool ragged = !all_equal(lengths);

  const Scenario standard;
  ShortName name;
  if (ragged) name.add("ragged");
  visit_fields(name, scenario.problem, standard.problem);
  visit_fields(name, scenario.layout, standard.layout);
  visit_fields(name, scenario.run, standard.run);
  if (!scenario.script.empty()) name.add("script" + std::to_string(scenario.script.size()));
  return "batch" + std::to_string(lengths.size()) + "_ctx" + std::to_string(length) +
         name.suffixes();
}

}  // namespace helixcheck
