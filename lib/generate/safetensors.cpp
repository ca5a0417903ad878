// Reading trusts nothing: sizes are checked before they are used, names must be unique, and the
// tensors must tile the data exactly, as the format demands.

#include "generate/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "mla/formats.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr int kMaxDepth = 3;                            // file / tensor / shape
constexpr const char* kMetadata = "__metadata__";

constexpr std::pair<std::string_view, std::int64_t> kElementBytes[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
    {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

std::optional<std::int64_t> element_bytes(std::string_view dtype) {
  for (const auto& [name, bytes] : kElementBytes) {
    if (name == dtype) return bytes;
  }
  return std::nullopt;
}

// Product of sizes >= 0; nullopt if it exceeds 63 bits.
std::optional<std::int64_t> product(const std::vector<std::int64_t>& sizes, std::int64_t start) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return 0;
  std::int64_t result = start;
  for (const std::int64_t size : sizes) {
    if (result > std::numeric_limits<std::int64_t>::max() / size) return std::nullopt;
    result *= size;
  }
  return result;
}

// The header's checks; every failure is one sentence naming the file.
class HeaderReader {
 public:
  HeaderReader(const std::filesystem::path& file, std::span<const std::byte> data)
      : file_(file), data_(data) {}

  std::map<std::string, StoredTensor> read(std::string_view header) const {
    std::map<std::string, StoredTensor> tensors;
    const Json json = parse(header);
    if (!json.is_object()) fail("has a header that is not a JSON object");
    for (const auto& [name, entry] : json.items()) {
      if (name != kMetadata) tensors.emplace(name, read_tensor(name, entry));
    }
    check_tiling(tensors);
    return tensors;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("safetensors file '{}' {}", file_.string(), what));
  }

 private:
  // The parser itself would merge equal names silently.
  Json parse(std::string_view header) const {
    std::vector<std::set<std::string>> names;  // of the objects that are open
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
      if (depth > kMaxDepth) fail("has a header nested deeper than the format allows");
      if (event == Json::parse_event_t::object_start) names.emplace_back();
      if (event == Json::parse_event_t::object_end) names.pop_back();
      if (event == Json::parse_event_t::key && !names.back().insert(value).second) {
        fail(fmt::format("has the name '{}' twice in its header", value.get<std::string>()));
      }
      return true;
    };
    try {
      return Json::parse(header, check);
    } catch (const Json::exception& error) {
      fail(fmt::format("has a header that is not JSON: {}", error.what()));
    }
  }

  [[noreturn]] void fail_at(const std::string& tensor, const std::string& rule) const {
    fail(fmt::format("is wrong at tensor '{}': {}", tensor, rule));
  }

  StoredTensor read_tensor(const std::string& name, const Json& entry) const {
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
        !entry.contains("shape") || !entry.contains("data_offsets")) {
      fail_at(name, "its entry must have exactly dtype, shape and data_offsets");
    }
    if (!entry["dtype"].is_string()) fail_at(name, "dtype must be a string");
    StoredTensor tensor;
    tensor.dtype = entry["dtype"];
    const std::optional<std::int64_t> bytes = element_bytes(tensor.dtype);
    if (!bytes) fail_at(name, fmt::format("dtype '{}' is not known", tensor.dtype));
    tensor.shape = read_sizes(name, "shape", entry["shape"]);
    const std::vector<std::int64_t> offsets =
        read_sizes(name, "data_offsets", entry["data_offsets"]);
    if (offsets.size() != 2) fail_at(name, "data_offsets must be two numbers");
    const std::int64_t begin = offsets[0], end = offsets[1];
    if (begin > end || end > std::ssize(data_)) {
      fail_at(name,
              fmt::format("data_offsets [{}, {}] must be ascending and within the {} bytes of "
                          "data",
                          begin, end, data_.size()));
    }
    if (product(tensor.shape, *bytes) != end - begin) {
      fail_at(name, fmt::format("a {} tensor of shape [{}] does not take the {} bytes of its "
                                "data_offsets",
                                tensor.dtype, fmt::join(tensor.shape, ", "), end - begin));
    }
    tensor.bytes =
        data_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    return tensor;
  }

  std::vector<std::int64_t> read_sizes(const std::string& tensor, const char* field,
                                       const Json& list) const {
    const auto is_size = [](const Json& value) {
      return value.is_number_unsigned() &&
             value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    };
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_size)) {
      fail_at(tensor, fmt::format("{} must be a list of integers from 0 to 2^63 - 1", field));
    }
    return list.get<std::vector<std::int64_t>>();
  }

  void check_tiling(const std::map<std::string, StoredTensor>& tensors) const {
    using Extent = std::pair<const std::byte*, const std::byte*>;
    std::vector<std::pair<Extent, const std::string*>> extents;
    for (const auto& [name, tensor] : tensors) {
      const std::byte* begin = tensor.bytes.data();
      extents.push_back({{begin, begin + tensor.bytes.size()}, &name});
    }
    std::sort(extents.begin(), extents.end());
    const std::byte* end = data_.data();
    for (const auto& [extent, name] : extents) {
      if (extent.first < end) fail_at(*name, "its bytes overlap those of another tensor");
      if (extent.first > end) fail_at(*name, "bytes before its own belong to no tensor");
      end = extent.second;
    }
    if (end != data_.data() + data_.size()) fail("has bytes at its end that belong to no tensor");
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> data_;
};

std::vector<std::byte> read_bytes(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  std::vector<std::byte> bytes;
  if (!error && stream) {
    bytes.resize(size);
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  }
  if (error || !stream) {
    throw InputError(fmt::format("safetensors file '{}' cannot be read", file.string()));
  }
  return bytes;
}

std::optional<Dtype> dtype_of(std::string_view name) {
  if (name == "F32") return Dtype::fp32;
  if (name == "F16") return Dtype::fp16;
  if (name == "BF16") return Dtype::bf16;
  if (name == "F8_E4M3") return Dtype::fp8_e4m3;
  return std::nullopt;
}

}  // namespace

std::int64_t StoredTensor::elements() const {
  return std::ssize(bytes) / element_bytes(dtype).value();
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& file)
    : file_(file), data_(read_bytes(file)) {
  const std::span<const std::byte> bytes(data_);
  if (bytes.size() < kLengthBytes) {
    HeaderReader(file_, {}).fail("is shorter than the 8 bytes of its header length");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    HeaderReader(file_, {}).fail(
        fmt::format("claims a header of {} bytes, more than it has or may have", length));
  }
  const auto header = bytes.subspan(kLengthBytes, length);
  const HeaderReader reader(file_, bytes.subspan(kLengthBytes + length));
  tensors_ = reader.read({reinterpret_cast<const char*>(header.data()), header.size()});
}

const StoredTensor& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw InputError(fmt::format("safetensors file '{}' has no tensor '{}'", file_.string(), name));
  }
  return found->second;
}

std::vector<double> SafetensorsFile::values(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  std::vector<double> result(static_cast<std::size_t>(tensor.elements()));
  if (tensor.dtype == "F64") {
    if (!result.empty()) std::memcpy(result.data(), tensor.bytes.data(), tensor.bytes.size());
    return result;
  }
  const std::optional<Dtype> dtype = dtype_of(tensor.dtype);
  if (!dtype) {
    throw InputError(fmt::format(
        "tensor '{}' of safetensors file '{}' is {}, but must be F64, F32, F16, BF16 or F8_E4M3",
        name, file_.string(), tensor.dtype));
  }
  decode_to(*dtype, tensor.bytes.data(), std::span<double>(result));
  return result;
}

void SafetensorsWriter::add(std::string name, std::string dtype, std::vector<std::int64_t> shape,
                            std::span<const std::byte> bytes) {
  assert(element_bytes(dtype) && product(shape, *element_bytes(dtype)) == std::ssize(bytes));
  entries_.push_back({std::move(name), std::move(dtype), std::move(shape),
                      std::vector<std::byte>(bytes.begin(), bytes.end())});
}

void SafetensorsWriter::write(const std::filesystem::path& file) const {
  Json header = Json::object();
  std::size_t offset = 0;
  for (const Entry& entry : entries_) {
    assert(entry.name != kMetadata && !header.contains(entry.name));
    const std::size_t end = offset + entry.bytes.size();
    header[entry.name] = {
        {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned in the file
  const std::uint64_t length = text.size();

  std::filesystem::path temporary = file;
  temporary += ".tmp";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(&length), kLengthBytes);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const Entry& entry : entries_) {
    stream.write(reinterpret_cast<const char*>(entry.bytes.data()), std::ssize(entry.bytes));
  }
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(temporary, file, error);
  if (!stream || error) {
    throw InputError(fmt::format("safetensors file '{}' cannot be written", file.string()));
  }
}

}  // namespace helixcheck
