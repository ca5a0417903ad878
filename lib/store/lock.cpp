// An open-file-description lock: unlike flock it is one of fcntl's, which NFS passes to its server,
// and unlike fcntl's older ones it is not lost when the process closes another descriptor of the
// file. SQLite's own locks last for a transaction only.

#include "store/lock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

// True if the lock was taken; else errno says why not.
bool take(int descriptor) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(descriptor, F_OFD_SETLK, &whole) == 0;
}

// A lock that was waited for may be on a file that its last owner has removed since.
bool still_there(int descriptor, const fs::path& file) {
  struct stat locked {
  }, named{};
  return fstat(descriptor, &locked) == 0 && stat(file.c_str(), &named) == 0 &&
         locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

// "process 4711 on node12", or "another process" where it has not said so yet.
std::string owner_in(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  std::string owner(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  owner.erase(std::min(owner.find('\n'), owner.size()));
  return owner.empty() ? "another process" : owner;
}

std::string this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}\n", getpid(), host.data());
}

}  // namespace

StoreLock::StoreLock(const fs::path& store) : file_(store.string() + ".lock") {
  for (;;) {
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw ResourceError(fmt::format("{}: a campaign must be able to write this file: {}",
                                      file_.string(), std::strerror(errno)));
    }
    const bool taken = take(descriptor_);
    const int error = errno;
    if (taken && still_there(descriptor_, file_)) break;
    const std::string owner = owner_in(descriptor_);
    close(descriptor_);
    if (taken) continue;
    if (error == EAGAIN || error == EACCES) {
      throw ResourceError(fmt::format("{}: {} is writing this store", store.string(), owner));
    }
    throw ResourceError(fmt::format("{}: the file system has no locks, which a store needs: {}",
                                    file_.string(), std::strerror(error)));
  }
  const std::string owner = this_process();
  // Only for people to read: a full disk is no reason to stop here.
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, owner.data(), owner.size(), 0) < 0) {
    errno = 0;
  }
}

StoreLock::~StoreLock() {
  // Removed while it is held: whoever opened it before sees that it is gone.
  std::error_code ignored;
  fs::remove(file_, ignored);
  close(descriptor_);
}

}  // namespace helixcheck
