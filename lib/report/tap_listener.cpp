// Printing and dumping of taps.

#include "report/tap_listener.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <string_view>
#include <system_error>

#include "generate/safetensors.hpp"
#include "mla/formats.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kFirstValues = 6;

double value_at(const TapView& view, std::int64_t i) {
  if (view.integers) return static_cast<double>(view.as_int64()[i]);
  return decode(view.dtype, load_code(view.dtype, view.data, i));
}

// "[2, 32, 576]"
std::string shape_text(const TapView& view) {
  return fmt::format("[{}]", fmt::join(view.shape, ", "));
}

void print_tap(std::string_view where, std::string_view name, const TapView& view) {
  if (!view.present) return;
  double least = std::numeric_limits<double>::infinity(), most = -least, sum = 0, squares = 0;
  std::int64_t not_finite = 0;
  const std::int64_t n = view.elements();
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = value_at(view, i);
    if (!std::isfinite(value)) {
      ++not_finite;
      continue;
    }
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
    squares += value * value;
  }
  std::string first;
  for (std::int64_t i = 0; i < std::min(n, kFirstValues); ++i) {
    first += fmt::format(" {:.5g}", value_at(view, i));
  }
  const auto finite = static_cast<double>(std::max<std::int64_t>(n - not_finite, 1));
  fmt::print(stderr,
             "{} {:<14} {:<6} {:<18} min {:.4g} max {:.4g} mean {:.4g} rms {:.4g}{} first{}\n",
             where, name, view.integers ? "int64" : std::string(name_of(view.dtype)),
             shape_text(view), least, most, sum / finite, std::sqrt(squares / finite),
             not_finite > 0 ? fmt::format(" not finite {}", not_finite) : "", first);
}

std::string file_dtype(const TapView& view) {
  if (view.integers) return "I64";
  switch (view.dtype) {
    case Dtype::fp32: return "F32";
    case Dtype::fp16: return "F16";
    case Dtype::bf16: return "BF16";
    case Dtype::fp8_e4m3: return "F8_E4M3";
  }
  return "F32";
}

void add_tap(SafetensorsWriter& writer, std::size_t rank, std::string_view name,
             const TapView& view) {
  if (!view.present) return;
  const std::size_t item = view.integers ? sizeof(std::int64_t) : size_of(view.dtype);
  writer.add(fmt::format("rank{}.{}", rank, name), file_dtype(view), view.shape,
             {view.data, static_cast<std::size_t>(view.elements()) * item});
}

}  // namespace

void TapPrinter::on_prompt(const PromptTaps& taps) {
  for (std::size_t rank = 0; rank < taps.ranks.size(); ++rank) {
    const PromptTaps::RankRows& rows = taps.ranks[rank];
    if (rows.index.empty()) continue;
    const std::string where =
        fmt::format("prompt {} request {} rank {} tokens {}..{}", taps.step, taps.request, rank,
                    rows.index.front(), rows.index.back());
    print_tap(where, name_of(Tap::kv_c), rows.kv_c);
    print_tap(where, name_of(Tap::latent), rows.latent);
  }
}

void TapPrinter::on_step(const StepTaps& taps) {
  for (std::size_t rank = 0; rank < taps.ranks.size(); ++rank) {
    const std::string where = fmt::format("step {} rank {}", taps.step, rank);
    for (int i = 0; i < kTapCount; ++i) {
      print_tap(where, name_of(static_cast<Tap>(i)), taps.ranks[rank][static_cast<std::size_t>(i)]);
    }
  }
}

void TapPrinter::on_event(const Step& step, const History&) {
  fmt::print(stderr, "{} requests [{}]\n", name_of(step.kind), fmt::join(step.requests, ", "));
}

TapDumper::TapDumper(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) {
    throw InputError(fmt::format("--dump {}: the folder cannot be made: {}", folder_.string(),
                                 failed.message()));
  }
}

void TapDumper::on_prompt(const PromptTaps& taps) {
  SafetensorsWriter writer;
  std::int64_t last = 0;
  for (std::size_t rank = 0; rank < taps.ranks.size(); ++rank) {
    const PromptTaps::RankRows& rows = taps.ranks[rank];
    if (rows.index.empty()) continue;
    last = std::max(last, rows.index.back());
    writer.add(fmt::format("rank{}.index", rank), "I64", {std::ssize(rows.index)},
               std::as_bytes(std::span(rows.index)));
    add_tap(writer, rank, name_of(Tap::kv_c), rows.kv_c);
    add_tap(writer, rank, name_of(Tap::latent), rows.latent);
  }
  writer.write(folder_ /
               fmt::format("prompt{}.request{}.to{}.safetensors", taps.step, taps.request, last));
}

void TapDumper::on_step(const StepTaps& taps) {
  SafetensorsWriter writer;
  for (std::size_t rank = 0; rank < taps.ranks.size(); ++rank) {
    for (int i = 0; i < kTapCount; ++i) {
      add_tap(writer, rank, name_of(static_cast<Tap>(i)),
              taps.ranks[rank][static_cast<std::size_t>(i)]);
    }
  }
  writer.write(folder_ / fmt::format("step{}.safetensors", taps.step));
}

void ListenerPair::on_prompt(const PromptTaps& taps) {
  first_->on_prompt(taps);
  second_->on_prompt(taps);
}

void ListenerPair::on_step(const StepTaps& taps) {
  first_->on_step(taps);
  second_->on_step(taps);
}

void ListenerPair::on_event(const Step& step, const History& after) {
  first_->on_event(step, after);
  second_->on_event(step, after);
}

}  // namespace helixcheck
