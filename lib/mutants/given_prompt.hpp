// Prompt rows computed once for many runs: at a hundred thousand tokens they take nearly all of a
// run's time, and no mutant of a later stage changes them.

#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "helix/taps.hpp"
#include "mla/inputs.hpp"

namespace helixcheck {

// Watches a run, at `layer`, of a subject that is right and keeps the latent rows of its prompts.
class LatentRows : public Observer {
 public:
  void on_prompt(const PromptTaps& taps) override;
  void on_step(const StepTaps&) override {}
  void on_event(const Step&, const History&) override {}

  // Rows index .. index + count - 1 of a request's prompt. Requires that they were shown.
  void copy(std::int64_t request, std::int64_t index, std::int64_t count, std::byte* out) const;

 private:
  std::size_t row_bytes_ = 0;
  std::map<std::int64_t, std::vector<std::byte>> rows_;  // by request: [prompt_len, R + P]
};

// A case whose prompts are given: the rows that the same case computes. Everything else is as it
// was, so that the caches are bit for bit those of a right subject that computed them.
class GivenPrompt : public Inputs {
 public:
  // All must outlive the object. `layout`: may be another than that of `computed`.
  GivenPrompt(const Inputs& computed, const LatentRows& rows, const Layout& layout);

  const Scenario& scenario() const override { return scenario_; }
  const RopeTable& rope() const override { return computed_.rope(); }
  const Weights& weights() const override { return computed_.weights(); }
  void hidden(Token first, std::int64_t count, std::byte* out) const override {
    computed_.hidden(first, count, out);
  }
  std::optional<DrawnHidden> drawn_hidden() const override { return computed_.drawn_hidden(); }
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override {
    rows_.copy(first.request, index, count, out);
  }
  void query(const Row& row, std::byte* out) const override { computed_.query(row, out); }
  Partials partials() const override { return computed_.partials(); }

 private:
  const Inputs& computed_;
  const LatentRows& rows_;
  Scenario scenario_;
};

}  // namespace helixcheck
