// Journals with a running case are set aside under another name, since workers of this run write to
// theirs; they are looked at again if this run is killed before it ends.

#include "fuzz/journals.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace fs = std::filesystem;

Journals::Journals(const fs::path& store) : folder_(store.string() + ".journals") {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!error) return;
  throw ResourceError(
      fmt::format("folder {}: cannot be made: {}", folder_.string(), error.message()));
}

fs::path Journals::path(const std::string& name) const {
  return folder_ / (name + ".journal");
}

std::vector<CaseJournal::Entry> Journals::take_running() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_)) {
    if (file.path().extension() == ".journal") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<CaseJournal::Entry> entries;
  int number = 0;
  for (const fs::path& file : files) {
    const std::optional<CaseJournal::Entry> running = CaseJournal(file).running();
    std::error_code ignored;
    if (!running) {
      fs::remove(file, ignored);
      continue;
    }
    if (std::find(entries.begin(), entries.end(), *running) == entries.end()) {
      entries.push_back(*running);
    }
    fs::path aside;
    do aside = path(fmt::format("killed_{}", number++));
    while (aside != file && fs::exists(aside));
    fs::rename(file, aside, ignored);
  }
  return entries;
}

void Journals::clear() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace helixcheck
