// Keeps everything a run showed, and shows it again, unchanged or with one tap corrupted.

#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "helix/taps.hpp"

namespace helixcheck {

enum class Damage { zeros, sign_flip, gain };  // gain: times 1.05

class TapRecording : public Observer {
 public:
  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps& taps) override;
  void on_event(const Step& step, const History& after) override;

  void replay(Observer& to) const;
  // The same with `tap` of all ranks damaged in the last step. Returns whether any bit differs.
  bool replay_damaged(Observer& to, Tap tap, Damage damage) const;

  // The taps of the last step, as rank 0 showed them.
  const RankTaps& last_taps() const { return steps_.back().taps.ranks.front(); }

 private:
  struct Prompt {
    PromptTaps taps;
    std::unique_ptr<History> history;
  };
  struct Decode {
    StepTaps taps;
    std::unique_ptr<History> history;
    std::vector<StepRequest> requests;
    std::vector<Row> rows;
  };
  struct Event {
    Step step;
    std::unique_ptr<History> history;
  };
  enum class Kind { prompt, step, event };

  void keep(TapView& view);  // copies the bytes
  void show(Observer& to, const StepTaps* last) const;

  std::vector<Kind> order_;
  std::vector<Prompt> prompts_;
  std::vector<Decode> steps_;
  std::vector<Event> events_;
  std::deque<std::vector<std::byte>> bytes_;
};

}  // namespace helixcheck
