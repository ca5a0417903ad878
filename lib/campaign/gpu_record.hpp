// The newest record of tools/gpu-check, and whether the kernels are still those it was made with.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace helixcheck {

struct GpuRecord {
  std::filesystem::path file;
  // As written, "" where the file has no such key. Verdicts are pass, fail, and part where steps
  // were left out.
  std::string date, commit, kernels, verdict;
};

// Of ROOT/docs/results/gpu-*.json the one with the last name, which begins with the date.
std::optional<GpuRecord> newest_gpu_record(const std::filesystem::path& root);

// Names and contents of all files below ROOT/kernels, hashed; "" if there is no such folder.
std::string kernels_hash(const std::filesystem::path& root);

// One sentence for `doctor`.
std::string gpu_record_state(const std::filesystem::path& root);

}  // namespace helixcheck
