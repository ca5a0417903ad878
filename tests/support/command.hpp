// Runs a command and keeps what it printed.

#pragma once

#include <filesystem>
#include <string>

namespace helixcheck {

struct CommandResult {
  int status = -1;  // exit status; 128 + signal if a signal ended it
  std::string out, err;
};

// `command` as for a shell, in the folder `in` ("" = here).
CommandResult run_command(const std::string& command, const std::filesystem::path& in = {});

// An empty folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace helixcheck
