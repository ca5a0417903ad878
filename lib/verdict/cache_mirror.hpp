// What the judge knows of every rank's cache: the rows as they were last read back, and the latent
// rows that were handed to `append` since. The rows of a request follow its history: forks copy,
// rejections drop.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "scenario/history.hpp"
#include "verdict/geometry.hpp"

namespace helixcheck {

class CacheMirror {
 public:
  CacheMirror(const Scenario& scenario, const Geometry& geometry);

  // One rank's shard of one request.
  struct Shard {
    std::vector<std::byte> seen;     // [rows, R + P] in the cache's format, as last read back
    std::vector<std::byte> pending;  // [rows, R + P] in dtype: what later rows must hold
    std::vector<char> shown;         // for each pending row: its latent was a tap that was shown
  };
  struct Request {
    std::int64_t confirmed = 0;  // tokens whose rows were read back
    std::vector<Shard> shards;   // by rank
  };

  Request& at(std::int64_t id);  // empty when new

  // Computed latent rows [count, R + P] of the tokens that come next in this shard; null: not
  // shown.
  void push(std::int64_t id, std::int64_t rank, const std::byte* latent, std::int64_t count = 1);
  // Makes room for as many rows in this shard.
  void expect(std::int64_t id, std::int64_t rank, std::int64_t rows);

  // Rejections, finishes and forks, after the history took them.
  void follow(const Step& step, const History& after);

 private:
  void truncate(std::int64_t id, const RequestState& state);

  const Scenario& scenario_;
  const Geometry& geometry_;
  std::map<std::int64_t, Request> requests_;
};

}  // namespace helixcheck
