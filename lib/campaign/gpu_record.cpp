// Records are written by tools/gpu-check with one key a line; no more of JSON is read here.

#include "campaign/gpu_record.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

std::string contents_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

// The first string under the key.
std::string value_of(const std::string& text, const std::string& key) {
  const std::string start = "\"" + key + "\": \"";
  const std::size_t found = text.find(start);
  if (found == std::string::npos) return "";
  const std::size_t begin = found + start.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

std::uint64_t hashed(std::uint64_t hash, const std::string& text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
  }
  return (hash ^ 0xff) * 0x100000001b3u;  // an end that no text holds
}

}  // namespace

std::optional<GpuRecord> newest_gpu_record(const fs::path& root) {
  std::error_code missing;
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(root / "docs" / "results", missing)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("gpu-") || entry.path().extension() != ".json") continue;
    if (newest.empty() || newest.filename().string() < name) newest = entry.path();
  }
  if (newest.empty()) return std::nullopt;
  const std::string text = contents_of(newest);
  return GpuRecord{newest, value_of(text, "date"), value_of(text, "commit"),
                   value_of(text, "kernels"), value_of(text, "verdict")};
}

std::string kernels_hash(const fs::path& root) {
  std::error_code missing;
  std::vector<fs::path> files;
  const fs::path folder = root / "kernels";
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (files.empty()) return "";
  // Headers of other rooms that device code is compiled from.
  for (const char* file : {"lib/mla/evidence.hpp", "lib/mla/format_codes.hpp",
                           "lib/mla/prompt_rows.hpp", "lib/subject/helixcheck_subject.h",
                           "lib/subject/local_count.hpp", "lib/mla/acceptance.hpp"}) {
    if (fs::exists(root / file, missing)) files.push_back(root / file);
  }
  std::sort(files.begin(), files.end());
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const fs::path& file : files) {
    hash =
        hashed(hashed(hash, file.lexically_relative(folder).generic_string()), contents_of(file));
  }
  return fmt::format("{:016x}", hash);
}

std::string gpu_record_state(const fs::path& root) {
  const std::optional<GpuRecord> record = newest_gpu_record(root);
  if (!record) return "never recorded: run tools/gpu-check on a machine with a GPU";
  std::string state = fmt::format("{}, commit {}: {}", record->date,
                                  record->commit.empty() ? "unknown" : record->commit,
                                  record->verdict == "pass"   ? "passed"
                                  : record->verdict == "part" ? "passed as far as it ran"
                                                              : "failed");
  const std::string now = kernels_hash(root);
  if (now.empty()) return state + "; the kernels' sources are not here to compare with";
  if (now == record->kernels) return state + ", with the kernels as they are";
  return state + ", but older than the kernels: run tools/gpu-check";
}

}  // namespace helixcheck
