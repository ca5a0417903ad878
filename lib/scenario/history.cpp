// Replay of a script. Runs are merged as they are appended, so a request that only ever grew is one
// run whatever its length.

#include "scenario/history.hpp"

#include <algorithm>
#include <cassert>

namespace helixcheck {

void TokenList::append(Token first, std::int64_t count) {
  if (count == 0) return;
  if (!runs_.empty()) {
    TokenRun& last = runs_.back();
    if (Token{last.first.request, last.first.draw + last.count} == first) {
      last.count += count;
      size_ += count;
      return;
    }
  }
  runs_.push_back({first, size_, count});
  size_ += count;
}

void TokenList::drop_last(std::int64_t count) {
  assert(count >= 0 && count <= size_);
  size_ -= count;
  while (!runs_.empty() && runs_.back().index >= size_) runs_.pop_back();
  if (!runs_.empty()) runs_.back().count = size_ - runs_.back().index;
}

Token TokenList::at(std::int64_t index) const {
  assert(index >= 0 && index < size_);
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), index,
                       [](std::int64_t wanted, const TokenRun& run) { return wanted < run.index; });
  const TokenRun& run = *std::prev(after);
  return {run.first.request, run.first.draw + index - run.index};
}

History::History(const Scenario& scenario) : states_(scenario.problem.ctx_len.size()) {
  for (std::size_t id = 0; id < states_.size(); ++id) {
    states_[id].id = static_cast<std::int64_t>(id);
    states_[id].prompt_len = scenario.problem.ctx_len[id];
  }
  live_.resize(states_.size());
}

std::vector<Row> History::apply(const Step& step) {
  std::vector<Row> rows;
  for (std::size_t slot = 0; slot < step.requests.size(); ++slot) {
    const std::int64_t id = step.requests[slot];
    switch (step.kind) {
      case StepKind::join: join(id); break;
      case StepKind::decode:
        decode(id, static_cast<std::int64_t>(slot), step.tokens[slot], rows);
        break;
      case StepKind::reject: state(id).tokens.drop_last(step.tokens[slot]); break;
      case StepKind::finish: finish(id); break;
      case StepKind::fork: fork(id); break;
    }
  }
  return rows;
}

void History::join(std::int64_t id) {
  RequestState& joining = states_[static_cast<std::size_t>(id)];
  joining.tokens.append({id, 0}, joining.prompt_len);
  joining.next_draw = joining.prompt_len;
  live_[static_cast<std::size_t>(id)] = true;
}

void History::decode(std::int64_t id, std::int64_t slot, std::int64_t count,
                     std::vector<Row>& rows) {
  RequestState& decoding = state(id);
  for (std::int64_t i = 0; i < count; ++i) {
    const Token token{id, decoding.next_draw++};
    rows.push_back({id, slot, decoding.tokens.size(), token});
    decoding.tokens.append(token, 1);
  }
}

void History::finish(std::int64_t id) {
  state(id).tokens = {};
  live_[static_cast<std::size_t>(id)] = false;
}

void History::fork(std::int64_t id) {
  RequestState copy = state(id);
  copy.id = requests_ever();
  copy.next_draw = 0;
  states_.push_back(std::move(copy));
  live_.push_back(true);
}

RequestState& History::state(std::int64_t id) {
  assert(live(id));
  return states_[static_cast<std::size_t>(id)];
}

const RequestState& History::request(std::int64_t id) const {
  assert(live(id));
  return states_[static_cast<std::size_t>(id)];
}

bool History::live(std::int64_t id) const {
  return id >= 0 && id < requests_ever() && live_[static_cast<std::size_t>(id)];
}

}  // namespace helixcheck
