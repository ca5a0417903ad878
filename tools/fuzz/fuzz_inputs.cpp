// Writes what a fuzzer starts from: `dictionary FILE`, the words of scenario files for libFuzzer's
// -dict; `scenarios FOLDER`, genomes as the series draws them; `texts FOLDER`, scenario files.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generate/genome.hpp"
#include "scenario/error.hpp"
#include "scenario/fields.hpp"
#include "scenario/json.hpp"
#include "scenario/names.hpp"
#include "scenario/value_text.hpp"

namespace {

using namespace helixcheck;
namespace fs = std::filesystem;

// Every field's name, and every value of an enumeration.
class Words {
 public:
  template <typename Block>
  void add_block() {
    const Block block;
    visit_fields(*this, block);
  }
  void add(std::string_view word) { words_.insert("\"" + std::string(word) + "\""); }

  template <typename T>
  void operator()(const Field& field, const T&) {
    add(field.name);
    if constexpr (Enumeration<T>) {
      for (const auto& [value, name] : names<T>()) add(name);
    }
  }
  void operator()(const Field& field, const std::optional<RopeScaling>&) {
    add(field.name);
    add_block<RopeScaling>();
  }
  void operator()(const Field& field, const std::vector<HeavyKey>&) {
    add(field.name);
    add_block<HeavyKey>();
  }
  void operator()(const Field& field, const Data&) {
    add(field.name);
    add_block<Data>();
  }

  const std::set<std::string>& all() const { return words_; }

 private:
  std::set<std::string> words_;
};

void write_file(const fs::path& file, std::string_view text) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.close();
  if (!stream) throw ResourceError(fmt::format("{}: cannot be written", file.string()));
}

std::string escaped(std::string_view word) {
  std::string text;
  for (const char c : word) text += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string{c};
  return text;
}

void write_dictionary(const fs::path& file) {
  Words words;
  words.add_block<Problem>();
  words.add_block<Layout>();
  words.add_block<Run>();
  for (const auto& [value, name] : names<StepKind>()) words.add(name);
  for (const ModelShape& shape : model_shapes()) words.add(shape.name);
  for (const char* word :
       {"schema", "name",     "labels",    "problem", "layout",     "run",      "script",
        "do",     "requests", "tokens",    "before",  "provenance", "property", "subject",
        "commit", "date",     "signature", "model",   "batch",      "type",     "yarn"}) {
    words.add(word);
  }
  std::string text = "# Written by fuzz_inputs.\n";
  for (const std::string& word : words.all()) text += fmt::format("\"{}\"\n", escaped(word));
  write_file(file, text);
}

constexpr std::uint64_t kSeed = 1;

template <typename Text>
void write_each(const fs::path& folder, std::uint64_t count, const Text& text) {
  fs::create_directories(folder);
  for (std::uint64_t i = 0; i < count; ++i) {
    CounterChoices choices(kSeed, i);
    write_file(folder / fmt::format("{:04}", i), text(draw_genome(choices)));
  }
}

void write_inputs(std::string_view kind, const fs::path& where, std::uint64_t count) {
  if (kind == "dictionary") return write_dictionary(where);
  if (kind == "scenarios") {
    return write_each(where, count, [](const Genome& genome) {
      const std::vector<std::uint8_t> bytes = to_bytes(genome);
      return std::string(bytes.begin(), bytes.end());
    });
  }
  if (kind == "texts") {
    return write_each(where, count,
                      [](const Genome& genome) { return print_scenario(decode(genome).scenario); });
  }
  throw InputError(fmt::format("'{}' is neither dictionary, scenarios nor texts", kind));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr,
                 "usage: %s dictionary FILE | scenarios FOLDER [COUNT] | texts FOLDER [COUNT]\n",
                 argv[0]);
    return 2;
  }
  try {
    std::uint64_t count = 64;
    if (argc == 4 && !from_text(argv[3], count)) {
      throw InputError(fmt::format("the count is '{}', but it must be a whole number", argv[3]));
    }
    write_inputs(argv[1], argv[2], count);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return dynamic_cast<const ResourceError*>(&error) != nullptr ? 3 : 2;
  }
  return 0;
}
