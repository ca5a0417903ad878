// Everything one rank of this process holds during a scenario: its place, its views of the weights,
// its cache, and the tensors of the boundary, which lie in the process's tap buffers.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "helix/extents.hpp"
#include "helix/paged_cache.hpp"
#include "helix/tap_buffers.hpp"
#include "helix/taps.hpp"
#include "mla/inputs.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {

// The tensor of hxc_step that a tap shows; null for those of the cache itself.
hxc_tensor hxc_step::*member_of(Tap tap);

hxc_model make_model(const Inputs& inputs);
hxc_rank make_place(const Scenario& scenario, int rank);
// Views into the un-sharded weights; all absent at `core` and `merge`. `address_of`: where a
// tensor's bytes lie for the subject.
using WeightAddress = std::function<const std::byte*(const Tensor&)>;
hxc_weights make_weights(const Inputs& inputs, const hxc_rank& place,
                         const WeightAddress& address_of);

// Where a rank's things lie. All must outlive the rank.
struct RankMemory {
  Memory& memory;
  TapBuffers& buffers;
  std::size_t local;  // the rank's number among those of this process
  const WeightAddress& address_of;
  PoolPlace pool;
};

// Pages of the rank's cache that are in use at once.
std::int64_t pages_of(const Extents& extents, const hxc_rank& place);

class RankState {
 public:
  // Both must outlive the object. Sizes the buffers, which are then to be allocated.
  RankState(const Inputs& inputs, const hxc_model& model, int rank, const Extents& extents,
            const RankMemory& where);
  RankState(const RankState&) = delete;
  RankState& operator=(const RankState&) = delete;

  const hxc_rank& place() const { return place_; }
  const Layout& layout() const { return scenario_.layout; }
  const hxc_weights& weights() const { return weights_; }
  PagedCache& cache() { return cache_; }
  hxc_step& step() { return step_; }
  void set_workspace(std::size_t bytes);

  // Shapes every tensor for `rows` rows and fills outputs with poison. Tensors the entry does not
  // have stay absent.
  void begin_step(std::int64_t step, std::int64_t rows, std::int64_t request_count, bool is_prompt);
  // Copies the page tables of the step's requests.
  void set_block_table(std::span<const StepRequest> requests);

  // After `plan`: every slot lies in the pool, every count in what the request has.
  bool plan_is_usable() const;

  // On the host; a device has a copy of its own.
  std::byte* buffer(Tap tap) const { return host_address(static_cast<std::size_t>(tap)); }
  std::byte* hidden() const { return host_address(TapBuffers::kHidden); }  // [rows, D]
  hxc_tensor host_tensor(Tap tap) const;
  TapView view(Tap tap) const;

 private:
  std::byte* host_address(std::size_t slot) const {
    return where_.buffers.host_address(where_.local, slot);
  }
  hxc_tensor placed(std::size_t slot, std::int32_t dtype,
                    std::initializer_list<std::int64_t> extents);
  void shape(Tap tap, std::int32_t dtype, std::initializer_list<std::int64_t> extents);

  const Scenario& scenario_;
  hxc_rank place_;
  hxc_weights weights_;
  PagedCache cache_;
  std::int64_t max_pages_;
  const RankMemory where_;
  Block workspace_;
  hxc_step step_{};
};

using RankStates = std::vector<std::unique_ptr<RankState>>;  // of one process, in rank order

}  // namespace helixcheck
