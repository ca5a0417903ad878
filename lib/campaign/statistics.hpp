// What a search has drawn and how close it came to the bounds.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "generate/scenario_draw.hpp"
#include "process/packing.hpp"
#include "property/property.hpp"

namespace helixcheck {

class Statistics {
 public:
  Statistics();

  // One case: the levels it was drawn from, the property it was checked under and what that showed.
  void add(const DrawnScenario& drawn, std::string_view property, const PropertyResult& result,
           double seconds);
  void merge(const Statistics& other);

  std::uint64_t cases() const { return cases_; }
  std::uint64_t subject_runs() const { return subject_runs_; }
  std::uint64_t unjudged() const { return unjudged_; }
  void add_unjudged() { ++unjudged_; }

  // How often a level, or two of them together, were drawn. Levels as in generate/features.hpp.
  std::uint64_t drawn(std::size_t level) const { return pairs_[level * levels_ + level]; }
  std::uint64_t drawn(std::size_t a, std::size_t b) const;
  std::size_t pairs_drawn() const;  // distinct ones, of different features

  // Share of the time that cases of a size took.
  double share_of_time(Size size) const;
  std::uint64_t cases_of(Size size) const { return by_size_[index(size)].cases; }
  const std::map<std::string, std::uint64_t, std::less<>>& by_property() const {
    return by_property_;
  }

  // The worst error / bound of each tap over all cases, 0 where none was judged.
  const std::array<double, kTapCount>& worst_ratios() const { return worst_; }
  double worst_ratio() const;

  // How many cases had a tap's worst error / bound in [2^log2, 2^(log2 + 1)); the lowest also
  // counts all below it, the highest all above.
  static constexpr int kLowestLog2 = -60, kHighestLog2 = 3;
  std::uint64_t cases_with_ratio(Tap tap, int log2) const {
    return ratios_[static_cast<std::size_t>(tap)][static_cast<std::size_t>(log2 - kLowestLog2)];
  }

  // For processes that share a search. What an earlier run of it had counted can be put back.
  void pack_into(Packer& to) const;
  static Statistics unpack_from(Unpacker& from);
  void restore_pair(std::size_t a, std::size_t b, std::uint64_t count);
  void restore_ratios(Tap tap, int log2, std::uint64_t cases, double worst);

 private:
  struct SizeCount {
    std::uint64_t cases = 0;
    double seconds = 0;
  };
  static std::size_t bucket(double ratio);
  static std::size_t index(Size size) { return static_cast<std::size_t>(size); }

  std::size_t levels_;
  std::vector<std::uint64_t> pairs_;  // [a, b] with a <= b; the diagonal counts single levels
  std::array<SizeCount, kSizes.size()> by_size_{};
  std::map<std::string, std::uint64_t, std::less<>> by_property_;
  std::array<double, kTapCount> worst_{};
  std::array<std::array<std::uint64_t, kHighestLog2 - kLowestLog2 + 1>, kTapCount> ratios_{};
  std::uint64_t cases_ = 0, subject_runs_ = 0, unjudged_ = 0;
};

}  // namespace helixcheck
