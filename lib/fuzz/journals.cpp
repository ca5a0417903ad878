// A case that is set aside has a small file of its own: its property and its number in the first
// two lines, then its scenario.

#include "fuzz/journals.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <sstream>

#include "process/files.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAside = ".case";
// What triage runs stands in the store or is set aside already.
constexpr const char* kTriage = "triage";

std::optional<CaseJournal::Entry> read_aside(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  CaseJournal::Entry entry;
  std::string number;
  if (!std::getline(stream, entry.property) || !std::getline(stream, number)) return std::nullopt;
  entry.index = std::strtoull(number.c_str(), nullptr, 10);
  std::ostringstream rest;
  rest << stream.rdbuf();
  entry.scenario = rest.str();
  return entry;
}

}  // namespace

Journals::Journals(const fs::path& store) : folder_(store.string() + ".journals") {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!error) return;
  throw ResourceError(
      fmt::format("folder {}: cannot be made: {}", folder_.string(), error.message()));
}

Journals Journals::of_worker(const fs::path& journal) {
  Journals journals;
  journals.folder_ = journal.parent_path();
  return journals;
}

fs::path Journals::path(const std::string& name) const {
  return folder_ / (name + ".journal");
}

fs::path Journals::file_of(const CaseJournal::Entry& entry) const {
  const std::size_t hash = std::hash<std::string>()(
      fmt::format("{} {} {}", entry.index, entry.property, entry.scenario));
  return folder_ / fmt::format("{:016x}{}", hash, kAside);
}

bool Journals::set_aside(const CaseJournal::Entry& entry) const {
  try {
    write_whole(file_of(entry),
                fmt::format("{}\n{}\n{}", entry.property, entry.index, entry.scenario));
    return true;
  } catch (const fs::filesystem_error&) {
    return false;
  }
}

void Journals::settle(const CaseJournal::Entry& entry) const {
  std::error_code ignored;
  fs::remove(file_of(entry), ignored);
}

std::vector<CaseJournal::Entry> Journals::take_running() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_)) {
    if (file.path().extension() == ".journal") files.push_back(file.path());
  }
  for (const fs::path& file : files) {
    std::optional<CaseJournal::Entry> running;
    if (file.stem() != kTriage) running = CaseJournal(file).running();
    if (running && !set_aside(*running)) {
      throw ResourceError(fmt::format("folder {}: cannot be written", folder_.string()));
    }
    // Not only cleared: its worker may live for some more instants.
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  std::vector<fs::path> aside;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_)) {
    if (file.path().extension() == kAside) aside.push_back(file.path());
  }
  std::sort(aside.begin(), aside.end());
  std::vector<CaseJournal::Entry> entries;
  for (const fs::path& file : aside) {
    if (std::optional<CaseJournal::Entry> entry = read_aside(file)) entries.push_back(*entry);
  }
  return entries;
}

void Journals::clear() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace helixcheck
