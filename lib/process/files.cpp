// A temporary file is renamed into place, so that a reader never sees half of it.

#include "process/files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace fs = std::filesystem;

void write_whole(const fs::path& file, std::string_view text) {
  const fs::path part = file.string() + fmt::format(".{}.part", getpid());
  errno = 0;
  std::ofstream stream(part, std::ios::binary);
  stream << text;
  stream.close();
  const int reason = errno;
  std::error_code error;
  if (stream) {
    fs::rename(part, file, error);
    if (!error) return;
  } else {
    error = std::error_code(reason != 0 ? reason : EIO, std::generic_category());
  }
  std::error_code ignored;
  fs::remove(part, ignored);
  throw fs::filesystem_error("cannot be written", file, error);
}

WorkFolder::WorkFolder() {
  std::string pattern = (fs::temp_directory_path() / "helixcheck.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw ResourceError(fmt::format("{}: {}", pattern, std::strerror(errno)));
  }
  path_ = pattern;
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace helixcheck
