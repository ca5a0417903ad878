// One line of text, put together and written without allocation or locks: what a signal handler or
// a thread beside a stuck one may do.

#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unistd.h>

namespace helixcheck::mpi {

// Text beyond 1023 bytes is cut.
class Line {
 public:
  Line& add(std::string_view text) {
    for (const char c : text) {
      if (length_ + 1 < text_.size()) text_[length_++] = c;
    }
    return *this;
  }

  Line& add(std::int64_t number) {
    std::array<char, 24> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return add(
        std::string_view(digits.data(), static_cast<std::size_t>(result.ptr - digits.data())));
  }

  std::string_view text() const { return {text_.data(), length_}; }

  // In one call where the system allows it, so that lines of several processes do not mix.
  void write_to(int file) {
    text_[length_++] = '\n';
    std::size_t done = 0;
    while (done < length_) {
      const ssize_t count = write(file, text_.data() + done, length_ - done);
      if (count <= 0) return;
      done += static_cast<std::size_t>(count);
    }
  }

 private:
  std::array<char, 1024> text_{};
  std::size_t length_ = 0;
};

}  // namespace helixcheck::mpi
