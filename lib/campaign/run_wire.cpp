#include "campaign/run_wire.hpp"

#include <cerrno>
#include <cstring>
#include <type_traits>
#include <unistd.h>

#include "scenario/error.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

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
    if (size > bytes_.size() - at_) throw ResourceError("a message between ranks is cut off");
    const char* place = bytes_.data() + at_;
    at_ += size;
    return place;
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
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

std::string pack(const RunOrder& order) {
  return Packer().value(order.repeat_failures).text(print_scenario(order.scenario)).take();
}

RunOrder unpack_order(const std::string& bytes) {
  Unpacker from(bytes);
  RunOrder order;
  order.repeat_failures = from.value<bool>();
  order.scenario = parse_scenario(from.text(), "a scenario for the ranks");
  return order;
}

std::string pack(const RunAnswer& answer) {
  const RunResult& result = answer.result;
  Packer to;
  to.value(answer.outcome).text(answer.message).value(answer.stage);
  to.value(result.output_hash).value(result.repeated).value(result.same_again);
  to.value(result.verdict.pass).value(result.verdict.taps.size());
  for (const TapResult& tap : result.verdict.taps) to.value(tap);
  to.value(result.verdict.blame.has_value());
  if (!result.verdict.blame) return to.take();
  const Blame& blame = *result.verdict.blame;
  return to.value(blame.stage).value(blame.tap).value(blame.place).text(blame.sentence).take();
}

RunAnswer unpack_answer(const std::string& bytes) {
  Unpacker from(bytes);
  RunAnswer answer;
  answer.outcome = from.value<RunAnswer::Outcome>();
  answer.message = from.text();
  answer.stage = from.value<std::optional<Stage>>();
  RunResult& result = answer.result;
  result.output_hash = from.value<std::uint64_t>();
  result.repeated = from.value<bool>();
  result.same_again = from.value<bool>();
  result.verdict.pass = from.value<bool>();
  const auto taps = from.value<std::size_t>();
  for (std::size_t i = 0; i < taps; ++i) {
    result.verdict.taps.push_back(from.value<TapResult>());
  }
  if (!from.value<bool>()) return answer;
  Blame& blame = result.verdict.blame.emplace();
  blame.stage = from.value<std::optional<Stage>>();
  blame.tap = from.value<std::optional<Tap>>();
  blame.place = from.value<Place>();
  blame.sentence = from.text();
  return answer;
}

bool write_frame(int file, const std::string& bytes) {
  const std::string frame = Packer().text(bytes).take();
  return write_all(file, frame.data(), frame.size());
}

bool read_frame(int file, std::string& bytes) {
  std::size_t size = 0;
  if (!read_all(file, reinterpret_cast<char*>(&size), sizeof size)) return false;
  bytes.resize(size);
  return read_all(file, bytes.data(), size);
}

}  // namespace helixcheck
