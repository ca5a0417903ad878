// What one rank needs for one decode step: tensors, a filled cache, weights, in a given memory.
//
// Unlike a test's RankState nothing is poisoned, mirrored or read back: a cache may fill the
// device. Its pages hold rows of one block of drawn rows, each page from another place of the
// block.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "device/memory.hpp"
#include "helix/rank_state.hpp"
#include "mla/inputs.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::bench {

class RankBuffers {
 public:
  // All must outlive the object. Inputs of the step and the cache are filled.
  RankBuffers(const Inputs& inputs, const hxc_model& model, const WeightAddress& address_of,
              int rank, Memory& memory);
  RankBuffers(const RankBuffers&) = delete;
  RankBuffers& operator=(const RankBuffers&) = delete;

  hxc_step& step() { return step_; }
  const hxc_rank& place() const { return place_; }
  const hxc_weights& weights() const { return weights_; }
  void set_workspace(std::size_t bytes);

  std::int64_t keys() const { return keys_; }  // of each request, the new token's included
  std::int64_t pages_per_request() const { return pages_per_request_; }
  // Rows of a request as stored, dense: [keys, R + P].
  std::vector<std::byte> cache_rows(std::int64_t request) const;
  // `count` elements of a tensor from element `first` on, dense.
  std::vector<std::byte> elements(const hxc_tensor& tensor, std::int64_t first,
                                  std::int64_t count) const;
  // Fills what stages from `attend` on make with NaN.
  void spoil_results();

 private:
  hxc_tensor make(std::int32_t dtype, std::initializer_list<std::int64_t> extents);
  void make_tensors();
  void make_cache();
  void fill_inputs();
  void upload(const hxc_tensor& to, const void* from, std::size_t bytes);

  const Inputs& inputs_;
  const Scenario& scenario_;
  Memory& memory_;
  hxc_rank place_;
  hxc_weights weights_;
  std::int64_t keys_, pages_per_request_;
  std::vector<std::int64_t> page_ids_;  // [batch, pages_per_request_]
  std::vector<hxc_request> requests_;
  std::vector<Block> blocks_;
  Block workspace_;
  hxc_step step_{};
};

}  // namespace helixcheck::bench
