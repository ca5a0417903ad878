#include "subject/mutants/mutants.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <tuple>
#include <vector>

#include "device/cuda.hpp"
#include "scenario/error.hpp"
#include "subject/mutants/classes.hpp"

namespace helixcheck {
namespace {

bool goes_before(const Mutant& a, const Mutant& b) {
  return std::tuple(a.memory(), a.mutant_class, a.id) <
         std::tuple(b.memory(), b.mutant_class, b.id);
}

// How many letters two names share at their begin.
std::size_t shared_begin(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

}  // namespace

std::string_view name_of(MutantClass mutant_class) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "merge",       "position",     "ownership", "paging", "exchange",
      "stale_state", "quantised_kv", "precision", "masks",  "shapes"};
  return kNames[static_cast<std::size_t>(mutant_class)];
}

std::string_view name_of(hxc_memory memory) {
  return memory == HXC_CUDA ? "cuda" : "host";
}

std::span<const Mutant> mutants() {
  static const std::vector<Mutant> all = [] {
    std::vector<Mutant> list;
    for (const auto of_kind :
         {planted::merge, planted::position, planted::ownership, planted::paging, planted::exchange,
          planted::stale_state, planted::quantised_kv, planted::precision, planted::masks,
          planted::shapes, planted::device}) {
      const std::span<const Mutant> more = of_kind();
      list.insert(list.end(), more.begin(), more.end());
    }
    std::sort(list.begin(), list.end(), goes_before);
    return list;
  }();
  return all;
}

const Mutant& find_mutant(std::string_view id) {
  constexpr std::size_t kNearest = 3;
  std::vector<const Mutant*> near;
  if (mutants().empty()) throw ResourceError("this build has no mutants (HELIXCHECK_MUTANTS=OFF)");
  for (const Mutant& mutant : mutants()) {
    if (mutant.id == id) return mutant;
    near.push_back(&mutant);
  }
  std::stable_sort(near.begin(), near.end(), [id](const Mutant* a, const Mutant* b) {
    return shared_begin(a->id, id) > shared_begin(b->id, id);
  });
  std::string names;
  for (std::size_t i = 0; i < std::min(kNearest, near.size()); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", near[i]->id);
  }
  throw InputError(fmt::format(
      "mutant '{}' is unknown; near it are {}, `helixcheck list mutants` names all", id, names));
}

const hxc_subject& table_of(const Mutant& mutant) {
  if (mutant.subject != nullptr) return *mutant.subject;
  for (const hxc_subject& table : cuda::module().mutants()) {
    if (mutant.id == table.name) return table;
  }
  throw ResourceError(
      fmt::format("the CUDA part beside this command has no mutant '{}'", mutant.id));
}

}  // namespace helixcheck
