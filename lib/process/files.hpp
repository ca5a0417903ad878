// Files that are written whole or not at all, and folders that go with their user.

#pragma once

#include <filesystem>
#include <string_view>

namespace helixcheck {

// Replaces the file. A reader sees the old text or the new one, never half of it, and nothing is
// left behind on failure. Throws std::filesystem::filesystem_error with the file and the reason.
void write_whole(const std::filesystem::path& file, std::string_view text);

// A folder of its own below the system's temporary one, removed with the object. Throws
// ResourceError.
class WorkFolder {
 public:
  WorkFolder();
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace helixcheck
