// Views point into copies of the bytes; the copies never move.

#include "support/tap_recording.hpp"

#include <cmath>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

std::size_t byte_count(const TapView& view) {
  const std::size_t item = view.integers ? sizeof(std::int64_t) : size_of(view.dtype);
  return static_cast<std::size_t>(view.elements()) * item;
}

double damaged(double value, Damage damage) {
  switch (damage) {
    case Damage::zeros: return 0;
    case Damage::sign_flip: return -value;
    case Damage::gain: return value * 1.05;
  }
  return value;
}

// Writes the damaged values of `view` to `out`. Returns whether a bit changed.
bool damage_values(const TapView& view, Damage damage, std::vector<std::byte>& out) {
  out.assign(view.data, view.data + byte_count(view));
  for (std::int64_t i = 0; i < view.elements(); ++i) {
    if (view.integers) {
      const auto value = static_cast<double>(view.as_int64()[i]);
      reinterpret_cast<std::int64_t*>(out.data())[i] =
          static_cast<std::int64_t>(std::llround(damaged(value, damage)));
    } else {
      const double value = decode(view.dtype, load_code(view.dtype, view.data, i));
      store_code(view.dtype, out.data(), i, encode(view.dtype, damaged(value, damage)));
    }
  }
  return !std::equal(out.begin(), out.end(), view.data);
}

}  // namespace

void TapRecording::keep(TapView& view) {
  if (!view.present) return;
  bytes_.emplace_back(view.data, view.data + byte_count(view));
  view.data = bytes_.back().data();
}

void TapRecording::on_prompt(const PromptTaps& taps) {
  Prompt prompt{taps, std::make_unique<History>(*taps.history)};
  prompt.taps.history = prompt.history.get();
  for (PromptTaps::RankRows& rank : prompt.taps.ranks) {
    keep(rank.kv_c);
    keep(rank.latent);
  }
  prompts_.push_back(std::move(prompt));
  order_.push_back(Kind::prompt);
}

void TapRecording::on_step(const StepTaps& taps) {
  Decode step{taps,
              std::make_unique<History>(*taps.history),
              {taps.requests.begin(), taps.requests.end()},
              {taps.rows.begin(), taps.rows.end()}};
  step.taps.history = step.history.get();
  for (RankTaps& rank : step.taps.ranks) {
    for (TapView& view : rank) keep(view);
  }
  steps_.push_back(std::move(step));
  steps_.back().taps.requests = steps_.back().requests;
  steps_.back().taps.rows = steps_.back().rows;
  order_.push_back(Kind::step);
}

void TapRecording::on_event(const Step& step, const History& after) {
  events_.push_back(Event{step, std::make_unique<History>(after)});
  order_.push_back(Kind::event);
}

void TapRecording::show(Observer& to, const StepTaps* last) const {
  std::size_t prompt = 0, step = 0, event = 0;
  for (const Kind kind : order_) {
    if (kind == Kind::prompt) {
      to.on_prompt(prompts_[prompt++].taps);
    } else if (kind == Kind::event) {
      to.on_event(events_[event].step, *events_[event].history);
      ++event;
    } else {
      const bool is_last = step + 1 == steps_.size();
      to.on_step(is_last && last != nullptr ? *last : steps_[step].taps);
      ++step;
    }
  }
}

void TapRecording::replay(Observer& to) const {
  show(to, nullptr);
}

bool TapRecording::replay_damaged(Observer& to, Tap tap, Damage damage) const {
  StepTaps last = steps_.back().taps;
  std::vector<std::vector<std::byte>> bytes(last.ranks.size());
  bool changed = false;
  for (std::size_t rank = 0; rank < last.ranks.size(); ++rank) {
    TapView& view = last.ranks[rank][static_cast<std::size_t>(tap)];
    if (!view.present) continue;
    changed = damage_values(view, damage, bytes[rank]) || changed;
    view.data = bytes[rank].data();
  }
  show(to, &last);
  return changed;
}

}  // namespace helixcheck
