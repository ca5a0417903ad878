#include "process/frames.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace helixcheck {
namespace {

// While it lives, a reader that is gone is an error for this thread and not the end of the process.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    const timespec at_once{};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

bool write_all(int file, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = write(file, data, bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    data += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

bool read_all(int file, char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = read(file, data, bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    data += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

bool write_frame(int file, const std::string& bytes) {
  const NoPipeSignal no_signal;
  const std::size_t size = bytes.size();
  std::string frame(reinterpret_cast<const char*>(&size), sizeof size);
  frame += bytes;
  return write_all(file, frame.data(), frame.size());
}

bool read_frame(int file, std::string& bytes) {
  std::size_t size = 0;
  if (!read_all(file, reinterpret_cast<char*>(&size), sizeof size)) return false;
  bytes.resize(size);
  return read_all(file, bytes.data(), size);
}

bool FrameReader::read_from(int file) {
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    if (count == 0) return false;
    bytes_.append(buffer, static_cast<std::size_t>(count));
    if (count < static_cast<ssize_t>(sizeof buffer)) return true;
  }
}

std::optional<std::string> FrameReader::next() {
  std::size_t size = 0;
  if (bytes_.size() - at_ < sizeof size) return std::nullopt;
  std::memcpy(&size, bytes_.data() + at_, sizeof size);
  if (bytes_.size() - at_ - sizeof size < size) return std::nullopt;
  std::string frame = bytes_.substr(at_ + sizeof size, size);
  at_ += sizeof size + size;
  if (at_ == bytes_.size()) {
    bytes_.clear();
    at_ = 0;
  }
  return frame;
}

}  // namespace helixcheck
