// The logical history of a scenario: which tokens each request holds at each step, without ranks,
// pages or numbers. Subjects and the reference both follow it.

#pragma once

#include <cstdint>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

// A token's identity decides its values. `request` is the request that first drew it (a fork's
// prefix keeps its parent's), `draw` counts the tokens that request ever drew: prompt tokens are
// draws 0 .. ctx_len-1; a token decoded after a rejection is a new draw at an old index.
struct Token {
  std::int64_t request = 0;
  std::int64_t draw = 0;
  friend bool operator==(const Token&, const Token&) = default;
};

// `count` tokens with consecutive draws at consecutive indices of one request.
struct TokenRun {
  Token first;
  std::int64_t index = 0;
  std::int64_t count = 0;
};

// A request's tokens, index 0 upwards, as runs; cheap at a million tokens.
class TokenList {
 public:
  void append(Token first, std::int64_t count);
  void drop_last(std::int64_t count);
  std::int64_t size() const { return size_; }
  Token at(std::int64_t index) const;
  const std::vector<TokenRun>& runs() const { return runs_; }

 private:
  std::vector<TokenRun> runs_;
  std::int64_t size_ = 0;
};

struct RequestState {
  std::int64_t id = 0;
  std::int64_t prompt_len = 0;  // a fork keeps its parent's
  TokenList tokens;
  std::int64_t next_draw = 0;  // of this request's own draws
};

// One query row of a decode step. Rows are ordered by request as the step lists them, then index.
struct Row {
  std::int64_t request = 0;  // id
  std::int64_t slot = 0;     // place of the request in the step's list
  std::int64_t index = 0;    // of the row's token in its request, counted from 0
  Token token;
};

// Replays a script, one event after the other.
class History {
 public:
  // Requires validity. Before the first step: no request is live.
  explicit History(const Scenario& scenario);

  // Applies a step of the expanded script. Returns the new rows of a decode step, else nothing.
  std::vector<Row> apply(const Step& step);

  const RequestState& request(std::int64_t id) const;  // asserts that it is live
  bool live(std::int64_t id) const;
  // Ids are below this: the requests of ctx_len, joined or not, and the forks so far.
  std::int64_t requests_ever() const { return static_cast<std::int64_t>(states_.size()); }

 private:
  void join(std::int64_t id);
  void decode(std::int64_t id, std::int64_t slot, std::int64_t count, std::vector<Row>& rows);
  void finish(std::int64_t id);
  void fork(std::int64_t id);
  RequestState& state(std::int64_t id);  // asserts that it is live

  std::vector<RequestState> states_;  // by id: those of ctx_len from the start, then forks
  std::vector<bool> live_;
};

}  // namespace helixcheck
