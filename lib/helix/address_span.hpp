// A range of addresses that takes memory only where somebody writes: for pools whose page ids lie
// billions of elements apart from zero.

#pragma once

#include <cstddef>

namespace helixcheck {

class AddressSpan {
 public:
  AddressSpan() = default;
  // Reads as zeros. Throws ResourceError if the system gives no such range.
  explicit AddressSpan(std::size_t bytes);
  AddressSpan(AddressSpan&& other) noexcept;
  AddressSpan& operator=(AddressSpan&& other) noexcept;
  ~AddressSpan();

  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace helixcheck
