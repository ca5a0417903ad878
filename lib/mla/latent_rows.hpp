// The cache rows of live requests in fp64, made once per token and kept from step to step.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "scenario/history.hpp"

namespace helixcheck {

class LatentRows {
 public:
  // Writes the rows of tokens with consecutive draws and indices, all of the prompt or all
  // generated, into [count, width].
  struct Piece {
    Token first;
    std::int64_t index = 0;
    std::int64_t count = 0;
    bool prompt = false;
  };
  using Make = std::function<void(const Piece& piece, std::span<double> rows)>;

  // `chunk`: most tokens of a piece.
  LatentRows(std::int64_t width, std::int64_t chunk, Make make);

  // Rows [tokens of the request, width] in index order, valid until the next call. Only rows of
  // tokens that are new to the request are made; a fork starts from its parent's.
  const double* rows_of(const RequestState& request);

  // Drops the rows of requests that have left.
  void forget_finished(const History& history);

 private:
  struct Entry {
    TokenList tokens;
    std::vector<double> rows;
  };
  Entry longest_prefix(const RequestState& request) const;

  std::int64_t width_;
  std::int64_t chunk_;
  Make make_;
  std::map<std::int64_t, Entry> entries_;  // by request id
};

}  // namespace helixcheck
