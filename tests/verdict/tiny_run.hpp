// Correct taps of a small scenario, made by the stage recomputations with a rounding at every
// store, rank by rank in the plainest order. A test may spoil any of them before the judge sees it.

#pragma once

#include <array>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "helix/taps.hpp"
#include "mla/inputs.hpp"
#include "verdict/contract.hpp"
#include "verdict/geometry.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

// A scenario of a few hundred bytes that has two requests, all ranks busy, and every tap.
Scenario tiny_scenario(Entry entry = Entry::layer);

class TinyRun {
 public:
  explicit TinyRun(const Inputs& inputs);  // must outlive the object

  // What a rank shows in a step; a view without bytes of its own is hidden.
  struct Shown {
    TapView view;
    std::vector<std::byte> bytes;
    double value(std::int64_t i) const;
    void set_value(std::int64_t i, double x);  // rounded to the tap's format; integers cut
    std::int64_t& integer(std::int64_t i);
  };
  using RankShown = std::array<Shown, kTapCount>;
  using Spoil = std::function<void(std::int64_t step, std::vector<RankShown>& ranks)>;

  // Shows the whole script to the observer.
  void show(Observer& observer, const Spoil& spoil = {});
  Verdict judged(const Contract& contract, const Spoil& spoil = {});

  std::vector<Tap> hidden;  // never shown
  Spoil spoil_prompt;       // kv_c and latent of the prompt rows of each rank

 private:
  using Rows = std::vector<std::byte>;  // cache rows of one shard

  void join(std::int64_t step, std::int64_t id, Observer& observer);
  void decode(std::int64_t step, const Step& what, Observer& observer, const Spoil& spoil);
  void plan(std::int64_t rank, const StepTaps& taps);
  void project(std::int64_t rank, const StepTaps& taps);
  void project_query(std::int64_t rank, const StepTaps& taps, const std::vector<double>& hidden);
  void append(std::int64_t rank, const StepTaps& taps);
  void attend(std::int64_t rank, const StepTaps& taps);
  void exchange(std::int64_t rank);
  void combine(std::int64_t rank);
  void output();
  void merge_step(Observer& observer, const Spoil& spoil);
  std::vector<double> latent_rows(const std::vector<double>& kv_c,
                                  const std::vector<std::int64_t>& positions) const;
  std::vector<double> draw_hidden(std::span<const Token> tokens) const;
  void store(std::int64_t request, std::int64_t rank, const std::vector<double>& row);
  void put_lse(std::vector<double>& out, double lse) const;

  void put(std::int64_t rank, Tap tap, Dtype dtype, std::vector<std::int64_t> shape,
           const std::vector<double>& values);
  void put_integers(std::int64_t rank, Tap tap, const std::vector<std::int64_t>& values,
                    std::vector<std::int64_t> shape);
  std::vector<double> get(std::int64_t rank, Tap tap) const;
  void publish(StepTaps& taps);

  const Inputs& inputs_;
  const Scenario& scenario_;
  const Problem& problem_;
  Geometry g_;
  History history_;
  std::vector<RankShown> shown_;
  std::map<std::pair<std::int64_t, std::int64_t>, Rows> cache_;  // by request and rank
};

}  // namespace helixcheck
