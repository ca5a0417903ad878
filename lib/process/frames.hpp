// Messages over pipes: a frame is its length and its bytes.

#pragma once

#include <optional>
#include <string>

namespace helixcheck {

// Blocking; false at the end of the stream or after an error.
bool write_frame(int file, const std::string& bytes);
bool read_frame(int file, std::string& bytes);

// Frames from a stream that is read as it comes, without blocking.
class FrameReader {
 public:
  // Takes what is there to be read. False at the end of the stream or after an error.
  bool read_from(int file);
  // The next whole frame.
  std::optional<std::string> next();

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace helixcheck
