// Pages are taken from a stack, so that a page just freed is reused first: the order that finds
// most stale-state bugs.

#include "helix/paged_cache.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "generate/philox.hpp"
#include "mla/formats.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

std::uint32_t poison_code(Poison poison, Dtype dtype) {
  switch (poison) {
    case Poison::nan: return encode(dtype, std::numeric_limits<double>::quiet_NaN());
    case Poison::inf: return encode(dtype, std::numeric_limits<double>::infinity());
    case Poison::huge: return encode(dtype, traits(dtype).max_finite);
    case Poison::zero: return 0;
  }
  return 0;
}

// Pool indices in the order in which pages are to be taken.
std::vector<std::int64_t> page_sequence(const Scenario& scenario, std::int64_t pages) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(pages));
  std::iota(order.begin(), order.end(), 0);
  if (scenario.layout.page_order == PageOrder::descending) std::reverse(order.begin(), order.end());
  if (scenario.layout.page_order == PageOrder::shuffled) {
    constexpr std::uint32_t kPageStream = 64;  // apart from the ids of drawn tensors
    std::vector<std::uint32_t> words(order.size());
    philox_row(scenario.problem.data.seed, kPageStream, 0, 0, 0, words);
    for (std::size_t i = order.size(); i > 1; --i) {
      const std::uint64_t choice = (static_cast<std::uint64_t>(words[i - 1]) * i) >> 32;
      std::swap(order[i - 1], order[choice]);
    }
  }
  return order;
}

std::int64_t page_pitch_of(const Scenario& scenario) {
  return page_elements(scenario) *
         static_cast<std::int64_t>(size_of(scenario.problem.kv_cache_dtype));
}

}  // namespace

std::size_t PagedCache::pool_bytes(const Scenario& scenario, std::int64_t pages) {
  return static_cast<std::size_t>((pages + scenario.layout.spare_pages) * page_pitch_of(scenario));
}

PagedCache::PagedCache(const Scenario& scenario, std::int64_t pages, const PoolPlace& place)
    : tokens_per_page_(scenario.layout.kv_cache_tokens_per_block),
      id_base_(scenario.layout.page_id_base),
      home_(place) {
  const Problem& problem = scenario.problem;
  const Layout& layout = scenario.layout;
  const Dtype dtype = problem.kv_cache_dtype;
  const std::int64_t width = problem.kv_lora_rank + problem.qk_rope_head_dim;
  element_bytes_ = static_cast<std::int64_t>(size_of(dtype));
  row_bytes_ = width * element_bytes_;
  row_pitch_ = row_bytes_ + layout.row_gap * element_bytes_;
  page_pitch_ = page_pitch_of(scenario);
  const std::int64_t total = pages + layout.spare_pages;
  pattern_.resize(static_cast<std::size_t>(page_pitch_));
  const std::uint32_t code = poison_code(layout.poison, dtype);
  for (std::int64_t i = 0; i < page_pitch_ / element_bytes_; ++i) {
    store_code(dtype, pattern_.data(), i, code);
  }
  place_pool(total);
  expected_.resize(memory_.size());
  for (std::int64_t page = 0; page < total; ++page) poison(address(page, 0), page_pitch_);
  users_.assign(static_cast<std::size_t>(total), 0);
  free_ = page_sequence(scenario, total);
  std::reverse(free_.begin(), free_.end());

  // Page ids count from page_id_base; the view's origin lies where page 0 would be.
  const auto origin = reinterpret_cast<std::uintptr_t>(subject_pool_) -
                      static_cast<std::uintptr_t>(id_base_ * page_pitch_);
  view_ = dense(reinterpret_cast<void*>(origin), boundary_dtype(dtype),
                {id_base_ + total, tokens_per_page_, width});
  view_.stride[1] = row_pitch_ / element_bytes_;
  view_.stride[0] = page_pitch_ / element_bytes_;
}

// A span from 2^31 elements before page id 0, the least that a signed offset wraps to, up to the
// pool's end, which leaves 2^32 elements for unsigned ones.
void PagedCache::place_pool(std::int64_t pages) {
  constexpr std::int64_t kReach = std::int64_t{1} << 31;
  const std::int64_t pool = pages * page_pitch_, first = id_base_ * page_pitch_;
  if (home_.memory != nullptr) {
    memory_ = {home_.mirror, static_cast<std::size_t>(pool)};
    subject_pool_ = home_.device;
    return;
  }
  if (first + pool <= kReach * element_bytes_) {
    compact_.resize(static_cast<std::size_t>(pool));
    memory_ = compact_;
    subject_pool_ = memory_.data();
    return;
  }
  const std::int64_t before = kReach * element_bytes_;
  const std::int64_t after = std::max(first, 2 * kReach * element_bytes_) + pool;
  spread_ = AddressSpan(static_cast<std::size_t>(before + after));
  memory_ = {spread_.data() + before + first, static_cast<std::size_t>(pool)};
  subject_pool_ = memory_.data();
  for (std::int64_t page = 0; page < pages; ++page) add_images(page);
}

void PagedCache::add_images(std::int64_t page) {
  const std::int64_t offset = (id_base_ + page) * page_pitch_ / element_bytes_;
  std::byte* origin = memory_.data() - id_base_ * page_pitch_;
  for (const std::int64_t wrapped :
       {std::int64_t{static_cast<std::int32_t>(offset)},
        static_cast<std::int64_t>(static_cast<std::uint32_t>(offset))}) {
    std::byte* image = origin + wrapped * element_bytes_;
    const bool in_pool =
        image + page_pitch_ > memory_.data() && image < memory_.data() + memory_.size();
    const bool known = !images_.empty() && images_.back() == image;
    if (in_pool || known) continue;
    std::memcpy(image, pattern_.data(), pattern_.size());
    images_.push_back(image);
  }
}

std::byte* PagedCache::address(std::int64_t page, std::int64_t row) const {
  return memory_.data() + page * page_pitch_ + row * row_pitch_;
}

std::byte* PagedCache::expected(const std::byte* address) {
  return expected_.data() + (address - memory_.data());
}

void PagedCache::poison(std::byte* begin, std::int64_t bytes) {
  std::memcpy(begin, pattern_.data(), static_cast<std::size_t>(bytes));
  std::memcpy(expected(begin), pattern_.data(), static_cast<std::size_t>(bytes));
  changed(begin, bytes);
}

void PagedCache::copy_row(std::byte* to, const std::byte* from) {
  std::memcpy(to, from, static_cast<std::size_t>(row_bytes_));
  std::memcpy(expected(to), from, static_cast<std::size_t>(row_bytes_));
  changed(to, row_bytes_);
}

std::int64_t PagedCache::take_page() {
  assert(!free_.empty());
  const std::int64_t page = free_.back();
  free_.pop_back();
  users_[static_cast<std::size_t>(page)] = 1;
  return page;
}

void PagedCache::drop_page(std::int64_t page) {
  if (--users_[static_cast<std::size_t>(page)] > 0) return;
  poison(address(page, 0), page_pitch_);
  free_.push_back(page);
}

void PagedCache::set_page(Request& request, std::size_t place, std::int64_t page) {
  request.pages.resize(std::max(request.pages.size(), place + 1));
  request.ids.resize(request.pages.size());
  request.pages[place] = page;
  request.ids[place] = page + id_base_;
}

void PagedCache::grow(std::int64_t id, std::int64_t length) {
  Request& request = requests_[id];
  if (length <= request.length) return;
  const std::int64_t tail = request.length % tokens_per_page_;
  const auto tail_place = static_cast<std::size_t>(request.length / tokens_per_page_);
  if (tail > 0 && users_[static_cast<std::size_t>(request.pages[tail_place])] > 1) {
    const std::int64_t shared = request.pages[tail_place], own = take_page();
    for (std::int64_t row = 0; row < tail; ++row) {
      copy_row(address(own, row), address(shared, row));
    }
    drop_page(shared);
    set_page(request, tail_place, own);
  }
  const std::int64_t pages = (length + tokens_per_page_ - 1) / tokens_per_page_;
  while (std::ssize(request.pages) < pages) set_page(request, request.pages.size(), take_page());
  request.length = length;
}

void PagedCache::shrink(std::int64_t id, std::int64_t length) {
  Request& request = requests_.at(id);
  const std::int64_t pages = (length + tokens_per_page_ - 1) / tokens_per_page_;
  while (std::ssize(request.pages) > pages) {
    drop_page(request.pages.back());
    request.pages.pop_back();
    request.ids.pop_back();
  }
  const std::int64_t end = std::min(request.length, pages * tokens_per_page_);
  request.length = length;
  if (length == end || users_[static_cast<std::size_t>(request.pages.back())] > 1) return;
  for (std::int64_t local = length; local < end; ++local) {
    poison(row_address(id, local), row_bytes_);
  }
}

void PagedCache::fork(std::int64_t parent, std::int64_t child) {
  const Request copy = requests_[parent];
  for (const std::int64_t page : copy.pages) ++users_[static_cast<std::size_t>(page)];
  requests_[child] = copy;
}

void PagedCache::release(std::int64_t id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  for (const std::int64_t page : found->second.pages) drop_page(page);
  requests_.erase(found);
}

std::int64_t PagedCache::length(std::int64_t id) const {
  const auto found = requests_.find(id);
  return found == requests_.end() ? 0 : found->second.length;
}

std::span<const std::int64_t> PagedCache::table(std::int64_t id) const {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return {};
  return found->second.ids;
}

std::byte* PagedCache::row(std::int64_t id, std::int64_t local) {
  std::byte* place = row_address(id, local);
  changed(place, row_bytes_);
  return place;
}

std::byte* PagedCache::row_address(std::int64_t id, std::int64_t local) const {
  const Request& request = requests_.at(id);
  return address(request.pages[static_cast<std::size_t>(local / tokens_per_page_)],
                 local % tokens_per_page_);
}

// One range from the first changed byte to the last: page by page would be more calls than bytes.
void PagedCache::changed(const std::byte* begin, std::int64_t bytes) {
  const auto first = static_cast<std::size_t>(begin - memory_.data());
  const std::size_t last = first + static_cast<std::size_t>(bytes);
  dirty_begin_ = dirty_end_ == 0 ? first : std::min(dirty_begin_, first);
  dirty_end_ = std::max(dirty_end_, last);
}

void PagedCache::upload() {
  home_.memory->upload(subject_pool_ + dirty_begin_, memory_.data() + dirty_begin_,
                       dirty_end_ - dirty_begin_);
  forget_changes();
}

void PagedCache::download() {
  home_.memory->download(memory_.data(), subject_pool_, memory_.size());
}

void PagedCache::download(std::int64_t id, std::int64_t begin, std::int64_t end) {
  for (std::int64_t local = begin; local < end;) {
    const std::int64_t page_end = (local / tokens_per_page_ + 1) * tokens_per_page_;
    const std::int64_t rows = std::min(end, page_end) - local;
    std::byte* mirror = row_address(id, local);
    home_.memory->download(mirror, subject_pool_ + (mirror - memory_.data()),
                           static_cast<std::size_t>(rows * row_pitch_ - (row_pitch_ - row_bytes_)));
    local += rows;
  }
}

std::byte* PagedCache::read(std::int64_t id, std::byte* out) const {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return out;
  const Request& request = found->second;
  for (std::int64_t local = 0; local < request.length; ++local) {
    const std::int64_t page = request.pages[static_cast<std::size_t>(local / tokens_per_page_)];
    std::memcpy(out, address(page, local % tokens_per_page_), static_cast<std::size_t>(row_bytes_));
    out += row_bytes_;
  }
  return out;
}

void PagedCache::accept(std::int64_t id, std::int64_t begin, std::int64_t end) {
  for (std::int64_t local = begin; local < end; ++local) {
    const std::byte* written = row_address(id, local);
    std::memcpy(expected(written), written, static_cast<std::size_t>(row_bytes_));
  }
}

PagedCache::Changes PagedCache::take_changes() {
  Changes changes;
  take_image_changes(changes);
  if (memory_.empty() || std::memcmp(memory_.data(), expected_.data(), memory_.size()) == 0) {
    return changes;
  }
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    if (memory_[i] == expected_[i]) continue;
    if (changes.count++ == 0) changes.first = static_cast<std::int64_t>(i);
  }
  expected_.assign(memory_.begin(), memory_.end());
  return changes;
}

// The poison is put back.
void PagedCache::take_image_changes(Changes& changes) {
  for (std::byte* image : images_) {
    if (std::memcmp(pattern_.data(), image, pattern_.size()) == 0) continue;
    for (std::size_t i = 0; i < pattern_.size(); ++i) {
      if (image[i] == pattern_[i]) continue;
      if (changes.count++ == 0) changes.first = image + i - memory_.data();
      image[i] = pattern_[i];
    }
  }
}

}  // namespace helixcheck
