#include "fuzz/case_queue.hpp"

#include <algorithm>

namespace helixcheck {

CaseRange CaseQueue::take(std::uint64_t most) {
  CaseRange range;
  if (!returned_.empty()) {
    range = returned_.front();
    returned_.pop_front();
    if (range.count > most) {
      returned_.push_front({range.first + most, range.count - most});
      range.count = most;
    }
  } else {
    const std::uint64_t left = end_ == 0 ? most : end_ - std::min(next_, end_);
    range = {next_, std::min(most, left)};
    next_ += range.count;
  }
  if (range.count > 0) out_.push_back(range);
  return range;
}

CaseRange CaseQueue::ran(CaseRange taken, std::uint64_t count) {
  const CaseRange rest{taken.first + count, taken.count - count};
  const auto same = std::find_if(out_.begin(), out_.end(),
                                 [&](const CaseRange& one) { return one.first == taken.first; });
  if (same != out_.end()) *same = rest;
  return rest;
}

void CaseQueue::give_back(CaseRange left, CaseRange taken) {
  const auto same = std::find_if(out_.begin(), out_.end(),
                                 [&](const CaseRange& one) { return one.first == taken.first; });
  if (same != out_.end()) out_.erase(same);
  if (left.count > 0) returned_.push_back(left);
}

std::uint64_t CaseQueue::left() const {
  if (end_ == 0) return ~std::uint64_t{0};
  std::uint64_t count = end_ - std::min(next_, end_);
  for (const CaseRange& range : returned_) count += range.count;
  return count;
}

std::uint64_t CaseQueue::low_water() const {
  std::uint64_t low = next_;
  for (const CaseRange& range : returned_) low = std::min(low, range.first);
  for (const CaseRange& range : out_) low = std::min(low, range.first);
  return low;
}

}  // namespace helixcheck
