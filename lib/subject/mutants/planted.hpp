// How a fault becomes a mutant: one entry in a table that is put over the CPU subject's.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/mutants/mutants.hpp"
#include "subject/views.hpp"

namespace helixcheck::planted {

// A text as a template argument.
template <std::size_t n>
struct Text {
  char text[n];
  constexpr Text(const char (&from)[n]) { std::copy_n(from, n, text); }  // NOLINT: a conversion
};

inline bool several_tokens(const hxc_step& step) {
  return std::any_of(step.requests, step.requests + step.request_count,
                     [](const hxc_request& request) { return request.query_tokens > 1; });
}

// Whether a kernel that splits keys would do so on this rank: where a request has more than a tile.
inline bool splits_keys(const hxc_step& step) {
  for (std::int64_t r = 0; r < step.request_count; ++r) {
    if (int_at(step.local_len, r) > cpu::kTile) return true;
  }
  return false;
}

// What an instance remembers of a rank's last step.
struct LastStep {
  bool known = false;
  std::vector<hxc_request> requests;
  std::vector<std::int64_t> visible, row_request, block_table;
  std::vector<std::byte> exchanged;  // dense
  // What was received at the first step of each size, in bytes.
  std::map<std::size_t, std::vector<std::byte>> received;
};

// A CPU instance with a memory: for faults that show from the second step on.
struct Remembering {
  void* cpu = nullptr;
  std::vector<LastStep> last;  // one a rank of this process
};

// Asked for once before a scenario begins, which nothing in a step tells: an instance may have
// served others, and their memory must not strike in this one.
inline std::size_t forget(void* instance) {
  for (LastStep& one : static_cast<Remembering*>(instance)->last) one = {};
  return 0;
}

inline std::vector<std::int64_t> integers_of(const hxc_tensor& from) {
  std::vector<std::int64_t> values;
  const std::int64_t columns = from.rank > 1 ? from.shape[1] : 1;
  for (std::int64_t i = 0; i < from.shape[0]; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) values.push_back(int_at(from, i, j));
  }
  return values;
}

// The same tensor of integers with other values, dense.
inline hxc_tensor with_values(hxc_tensor tensor, std::vector<std::int64_t>& values) {
  tensor.data = values.data();
  tensor.stride[0] = tensor.rank > 1 ? tensor.shape[1] : 1;
  tensor.stride[1] = 1;
  return tensor;
}

template <bool remembers>
int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  const auto make = cpu::subject().create;
  if constexpr (!remembers) return make(instance, model, places, weights, limits, error);
  auto own = std::make_unique<Remembering>();
  own->last.resize(static_cast<std::size_t>(limits->local_ranks));
  const int status = make(&own->cpu, model, places, weights, limits, error);
  if (status == 0) *instance = own.release();
  return status;
}

template <bool remembers>
void destroy(void* instance) {
  if constexpr (!remembers) return cpu::subject().destroy(instance);
  const std::unique_ptr<Remembering> own(static_cast<Remembering*>(instance));
  if (own) cpu::subject().destroy(own->cpu);
}

template <Text id, hxc_stage stage, hxc_stage_fn run, bool remembers>
struct Table {
  static constexpr hxc_entry entry{stage, stage, run};
  static constexpr hxc_subject subject{HXC_ABI_VERSION,
                                       HXC_HOST,
                                       id.text,
                                       "cpu",
                                       1,
                                       &entry,
                                       create<remembers>,
                                       remembers ? forget : nullptr,
                                       destroy<remembers>};
};

// `run` replaces the stage. Its instance is the CPU subject's, or a Remembering one.
template <Text id, hxc_stage stage, hxc_stage_fn run, bool remembers = false>
constexpr Mutant mutant(MutantClass mutant_class, std::string_view title, std::string_view source,
                        std::string_view smallest) {
  return {id.text,
          title,
          mutant_class,
          source,
          stage,
          smallest,
          &Table<id, stage, run, remembers>::subject};
}

}  // namespace helixcheck::planted
