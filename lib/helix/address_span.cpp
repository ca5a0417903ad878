// Reserved without swap or commitment, so that terabytes cost nothing until they are touched.

#include "helix/address_span.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <utility>

#include "scenario/error.hpp"

namespace helixcheck {

AddressSpan::AddressSpan(std::size_t bytes) : bytes_(bytes) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    throw ResourceError(
        fmt::format("the system gives no {} bytes of address space for page ids this large: {}",
                    bytes, std::strerror(errno)));
  }
  data_ = static_cast<std::byte*>(address);
}

AddressSpan::AddressSpan(AddressSpan&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

AddressSpan& AddressSpan::operator=(AddressSpan&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

AddressSpan::~AddressSpan() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace helixcheck
