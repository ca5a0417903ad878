// The safetensors file format (Hugging Face): an 8-byte little-endian header length, a JSON header
// {name: {dtype, shape, data_offsets}}, then the bytes. Reading checks every size and offset; a
// file is read whole. Writing goes through a temporary file.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace helixcheck {

// One stored tensor. `dtype` is the file's own word: F64, F32, F16, BF16, F8_E4M3, I64, I32, ...
struct StoredTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // row-major; valid while the file object lives
  std::int64_t elements() const;
};

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& file);  // throws InputError
  SafetensorsFile(const SafetensorsFile&) = delete;  // tensors refer to the file's own bytes
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  bool contains(const std::string& name) const { return tensors_.count(name) != 0; }
  const StoredTensor& at(const std::string& name) const;  // throws InputError naming both
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  // The values as doubles (F64, F32, F16, BF16, F8_E4M3 only; throws InputError otherwise).
  std::vector<double> values(const std::string& name) const;

 private:
  std::filesystem::path file_;
  std::vector<std::byte> data_;
  std::map<std::string, StoredTensor> tensors_;
};

// Collects tensors and writes them to a file in one go (temporary file, then rename).
class SafetensorsWriter {
 public:
  void add(std::string name, std::string dtype, std::vector<std::int64_t> shape,
           std::span<const std::byte> bytes);  // copies
  void write(const std::filesystem::path& file) const;

 private:
  struct Entry {
    std::string name, dtype;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
  };
  std::vector<Entry> entries_;
};

}  // namespace helixcheck
