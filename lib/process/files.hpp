// Files that are written whole or not at all, and folders that go with their user.

#pragma once

#include <filesystem>
#include <string>

namespace helixcheck {

// Replaces the file. Throws std::filesystem::filesystem_error and leaves what was there.
void write_whole(const std::filesystem::path& file, const std::string& text);

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
