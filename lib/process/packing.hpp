// Values as bytes, between processes of one executable on one host.

#pragma once

#include <cstring>
#include <string>
#include <type_traits>

#include "scenario/error.hpp"

namespace helixcheck {

class Packer {
 public:
  template <typename T>
  Packer& value(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& text(const std::string& text) {
    value(text.size());
    bytes_ += text;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Throws ResourceError where the bytes end too early.
class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}
  template <typename T>
  T value() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, next(sizeof value), sizeof value);
    return value;
  }
  std::string text() {
    const auto size = value<std::size_t>();
    return std::string(next(size), size);
  }

 private:
  const char* next(std::size_t size) {
    if (size > bytes_.size() - at_) throw ResourceError("a message between processes is cut off");
    const char* place = bytes_.data() + at_;
    at_ += size;
    return place;
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace helixcheck
