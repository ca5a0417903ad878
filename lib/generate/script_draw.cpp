// Step by step, each drawn among those that the roster allows at that point.

#include "generate/script_draw.hpp"

#include <algorithm>
#include <array>

#include "scenario/script.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kMaxForks = 4;

class ScriptDrawer {
 public:
  ScriptDrawer(const Problem& problem, const ScriptStyle& style, Choices& choices)
      : style_(style), choices_(choices), roster_(problem) {}

  std::vector<Step> draw() {
    join();
    const std::int64_t steps = choices_.between(2, style_.max_steps);
    while (std::ssize(script_) < steps) step();
    if (!decoded_) {
      if (live().empty()) join();
      add({StepKind::decode, {}, {}});
    }
    return script_;
  }

 private:
  std::vector<std::int64_t> select(bool live) const {
    std::vector<std::int64_t> ids;
    const auto& requests = roster_.requests();
    for (std::size_t id = 0; id < requests.size(); ++id) {
      if (live ? requests[id].live : !requests[id].joined) {
        ids.push_back(static_cast<std::int64_t>(id));
      }
    }
    return ids;
  }
  std::vector<std::int64_t> live() const { return select(true); }
  std::vector<std::int64_t> waiting() const { return select(false); }

  // Some of them, at least one, in any order.
  std::vector<std::int64_t> some_of(std::vector<std::int64_t> ids) {
    for (std::size_t i = ids.size(); i > 1; --i) {
      std::swap(ids[i - 1], ids[choices_.below(i)]);
    }
    ids.resize(1 + choices_.below(ids.size()));
    return ids;
  }

  void add(Step step) {
    const Step written = roster_.written_out(step);
    for (const std::int64_t tokens : written.tokens) {
      decoded_ = decoded_ || (step.kind == StepKind::decode && tokens > 0);
    }
    roster_.apply(written);
    script_.push_back(std::move(step));
  }

  void step() {
    const bool can_join = !waiting().empty(), any_live = !live().empty();
    const bool can_finish = live().size() > 1 || (any_live && can_join);
    const std::array weights{can_join ? std::max(style_.join, any_live ? 0 : 1) : 0,
                             any_live ? style_.decode : 0, any_live ? style_.reject : 0,
                             can_finish ? style_.finish : 0,
                             any_live && forks_ < kMaxForks ? style_.fork : 0};
    int sum = 0;
    for (const int weight : weights) sum += weight;
    auto drawn = static_cast<int>(choices_.below(static_cast<std::uint64_t>(sum)));
    std::size_t kind = 0;
    while (drawn >= weights[kind]) drawn -= weights[kind++];
    switch (kind) {
      case 0: return join();
      case 1: return decode();
      case 2: return reject();
      case 3: return finish();
      default: return fork();
    }
  }

  void join() {
    if (choices_.one_in(3)) return add({StepKind::join, {}, {}});
    add({StepKind::join, some_of(waiting()), {}});
  }

  void decode() {
    if (choices_.one_in(4)) return add({StepKind::decode, {}, {}});
    Step step{StepKind::decode, some_of(live()), {}};
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      const bool idle = choices_.one_in(6);
      step.tokens.push_back(idle ? 0 : choices_.between(1, style_.max_tokens));
    }
    add(std::move(step));
  }

  // A decode step where nothing can be rejected.
  void reject() {
    std::vector<std::int64_t> ids;
    for (const std::int64_t id : live()) {
      if (generated(id) > 0) ids.push_back(id);
    }
    if (ids.empty()) return decode();
    if (ids.size() == live().size() && choices_.one_in(6)) return add({StepKind::reject, {}, {}});
    Step step{StepKind::reject, some_of(std::move(ids)), {}};
    for (const std::int64_t id : step.requests) {
      const std::int64_t most = generated(id);
      const bool all = choices_.one_in(4);
      step.tokens.push_back(all ? most : choices_.between(1, std::min<std::int64_t>(most, 8)));
    }
    add(std::move(step));
  }
  std::int64_t generated(std::int64_t id) const {
    const Roster::Request& r = roster_.requests()[static_cast<std::size_t>(id)];
    return r.tokens - r.prompt_len;
  }

  // All may leave where others are still to join.
  void finish() {
    if (!waiting().empty() && choices_.one_in(6)) return add({StepKind::finish, {}, {}});
    std::vector<std::int64_t> ids = some_of(live());
    if (ids.size() == live().size() && waiting().empty()) ids.pop_back();
    add({StepKind::finish, std::move(ids), {}});
  }

  void fork() {
    const std::vector<std::int64_t> ids = live();
    ++forks_;
    add({StepKind::fork, {ids[choices_.below(ids.size())]}, {}});
  }

  const ScriptStyle& style_;
  Choices& choices_;
  Roster roster_;
  std::vector<Step> script_;
  std::int64_t forks_ = 0;
  bool decoded_ = false;
};

}  // namespace

std::vector<Step> draw_script(const Problem& problem, const ScriptStyle& style, Choices& choices) {
  return ScriptDrawer(problem, style, choices).draw();
}

}  // namespace helixcheck
