// Heavy keys of `core` cases: where they lie, and rows that really get their share of the softmax.
//
// The share is that of the first decode row, computed from values as stored. A head that sees a
// heavy key asks the same question in every row of a request, or the key would be heavy for one
// row only.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "mla/rope.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// One planted key of one request.
struct HeavyToken {
  std::int64_t request = 0;
  std::size_t key = 0;     // in data.heavy
  std::int64_t index = 0;  // of the token in its request
};

// How many keys of one request can be heavy at once, each for its own head; at least 1. In few
// dimensions one key's row is loud to another one's head, and where the gain saturates the softmax
// the louder of two takes all.
std::int64_t heavy_keys_with_room(const Problem& problem);

// Every key of data.heavy in every request, in that order. Those whose place does not exist or
// holds a key already are left out.
std::vector<HeavyToken> heavy_tokens(const Scenario& scenario);

class HeavyKeys {
 public:
  // Draws, for each token, a row with the wanted share. `scenario` must outlive the object; queries
  // are U[-query_bound, query_bound).
  HeavyKeys(const Scenario& scenario, const RopeTable& rope, double query_bound);

  // Row [R + P] of a planted token; nullptr for all others.
  const std::vector<double>* row(std::int64_t request, std::int64_t index) const;

  // Whether the head sees one of data.heavy; if so, its query [R + P] in all rows of a request.
  bool sees_one(std::int64_t head) const;
  void query(std::int64_t request, std::int64_t head, std::span<double> out) const;

 private:
  struct Plant;
  struct Voice {          // how a head asks
    double loudness = 1;  // times query_bound
    int draw = 0;
  };
  void draw_query(std::int64_t request, std::int64_t head, const Voice& voice,
                  std::span<double> out) const;
  Plant make_plant(const HeavyToken& token, const Voice& voice) const;
  void plant_request(std::span<const HeavyToken> tokens);
  bool settle_all(std::span<Plant> plants) const;
  double rest_lse(const Plant& plant, std::span<const Plant> all) const;
  void climb(Plant& plant, double wanted) const;
  void polish(Plant& plant, double wanted) const;
  bool settle(Plant& plant, std::span<const Plant> all) const;
  void try_loudness(Plant& plant, std::span<const Plant> all) const;
  void part_ways(std::span<Plant> plants) const;
  double crowd_lse(const Plant& plant) const;
  void store_all(std::span<double> row) const;
  double store(double value) const;

  using Rows = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>>;

  const Scenario& scenario_;
  double softmax_scale_;
  double query_bound_;
  std::int64_t width_;                                             // R + P
  double largest_;                                                 // value that a cache can hold
  Rows rows_;                                                      // by (request, index)
  std::map<std::pair<std::int64_t, std::int64_t>, Voice> voices_;  // by (request, head)
};

}  // namespace helixcheck
