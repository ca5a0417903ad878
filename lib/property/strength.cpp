// Bit for bit is demanded of everybody where nothing but moves and repetitions lies between two
// runs, and of the built-in subjects besides where their order of summation is known not to change.
// On a GPU the order is cuBLAS's choice for each shape: what changes a shape changes bits.

#include "property/strength.hpp"

#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr Strength bits = Strength::bits, bound = Strength::bound, none = Strength::none;

constexpr std::array kStrengths{
    // Another split of the keys is another order of summation.
    Strengths{"ranks", bound, bound, bound, bound},
    Strengths{"ownership", bound, bound, bound, bound},
    // Heads do not meet before `output`. A kernel may choose its tiling by the number of heads.
    Strengths{"tpa", bits, bits, bound, bound},
    // Built-in tiles count a rank's own keys, whatever page they lie on; a kernel may tile by page.
    Strengths{"page_size", bits, bits, bound, bound},
    // Moves alone: the same values are read from other addresses.
    Strengths{"page_order", bits, bits, bits, bits},
    Strengths{"cache_layout", bits, bits, bits, bits},
    Strengths{"poison", bits, bits, bits, bits},
    // Rows are worked on one by one; a kernel may schedule by the batch's order.
    Strengths{"request_order", bits, bits, bound, bound},
    // A kernel that splits its keys by the number of rows counts padding rows, too.
    Strengths{"padding_rows", bits, bits, bound, bound},
    // A difference is a race, or state that a run left behind.
    Strengths{"observation", bits, bits, bits, bits},
    Strengths{"repetition", bits, bits, bits, bits},
    // On host memory there is nothing to record.
    Strengths{"launch", none, none, bits, bits},
    Strengths{"instance_life", bits, bits, bits, bits},
    // A change of base rounds.
    Strengths{"lse_form", bound, bound, bound, bound},
    // A row stops at its own visible keys; a kernel may mask a longer tile, or split it otherwise.
    Strengths{"split_steps", bits, bits, bound, bound},
    Strengths{"append_is_prompt", bits, bits, bound, bound},
    // Weights are off by rounding whatever the order.
    Strengths{"convexity", bound, bound, bound, bound},
    Strengths{"constant_value", bound, bound, bound, bound},
    Strengths{"shard_value", bound, bound, bound, bound},
    // Rotations and their stores round at every position differently.
    Strengths{"rope_differences", bound, bound, bound, bound},
    // A sum in another order; two summands commute, so that the built-in merge of two agrees bit
    // for bit, which the check demands.
    Strengths{"merge_permutation", bound, bound, bound, bound},
    Strengths{"merge_association", bound, bound, bound, bound},
    Strengths{"merge_shift", bound, bound, bound, bound},
    Strengths{"merge_gauge", bound, bound, bound, bound},
    // Zero times anything is not added at all. A merge that sums in a tree pairs others then.
    Strengths{"merge_empty", bits, bits, bits, bound},
};

}  // namespace

std::span<const Strengths> strengths() {
  return kStrengths;
}

Strength strength_of(std::string_view property, const Subject& subject) {
  for (const Strengths& row : kStrengths) {
    if (row.property != property) continue;
    if (property == "launch" && subject.memory().is_host()) return none;
    const std::string name = subject.name();
    if (name == "cpu") return row.cpu;
    if (name == "cpu_p16") return row.cpu_p16;
    return name == "cuda" || name == "cuda_agrs" ? row.cuda : row.plug_in;
  }
  throw InputError(fmt::format("property '{}' has no place in the strength table", property));
}

bool sources_vary(const Subject& subject) {
  return overridden(subject, HXC_PROJECT) || !subject.memory().is_host();
}

bool overridden(const Subject& subject, hxc_stage stage) {
  return subject.part_of(stage).overridden;
}

}  // namespace helixcheck
