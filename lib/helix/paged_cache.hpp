// One rank's paged KV cache: memory, page tables, sharing between forks, poison.
//
// The harness owns it; subjects see it as a view and a page table. Spare pages, page tails, the
// gaps of the layout and rows that were dropped hold poison. The cache knows what every byte should
// be: a subject may change nothing but the rows it was told to append. Rows of a request are
// numbered in local order, 0 .. length-1.
//
// On a device the pool is worked on in a mirror on the host: what the harness changed goes up
// before a step, and what is there afterwards comes down.
//
// Where offsets into the pool do not fit in 31 bits, the addresses that a 32-bit offset would wrap
// to exist too and hold poison: such a bug shows as a wrong value or a stray write, not as a crash.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "helix/address_span.hpp"
#include "helix/cache_pools.hpp"
#include "scenario/scenario.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {

class PagedCache {
 public:
  // `pages`: how many may be in use at once. Physical ids start at layout.page_id_base.
  // `place` must outlive the object. Throws ResourceError where they need more address space than
  // there is.
  PagedCache(const Scenario& scenario, std::int64_t pages, const PoolPlace& place = {});

  // Bytes of a pool for that many pages.
  static std::size_t pool_bytes(const Scenario& scenario, std::int64_t pages);

  hxc_tensor view() const {
    return view_;
  }  // [pages, tokens_per_block, R + P], see hxc_step::cache

  // Makes room for rows up to `length`; pages that are shared and about to be written are copied.
  void grow(std::int64_t request, std::int64_t length);
  // Drops rows from the end, and pages no longer needed.
  void shrink(std::int64_t request, std::int64_t length);
  // `child` starts with the parent's rows, in the same pages.
  void fork(std::int64_t parent, std::int64_t child);
  void release(std::int64_t request);

  std::int64_t length(std::int64_t request) const;
  std::span<const std::int64_t> table(std::int64_t request) const;  // physical page ids
  std::byte* row(std::int64_t request, std::int64_t local);
  std::int64_t row_bytes() const { return row_bytes_; }  // of R + P codes
  // Copies all rows of a request, dense, to `out`. Returns the end of what it wrote.
  std::byte* read(std::int64_t request, std::byte* out) const;

  // Device memory, in stream order: what changed here since the last call; the pool as it is there;
  // or rows [begin, end) of a request.
  bool ahead() const { return dirty_end_ > 0; }
  void forget_changes() { dirty_begin_ = dirty_end_ = 0; }
  void upload();
  void download();
  void download(std::int64_t request, std::int64_t begin, std::int64_t end);

  // Takes rows [begin, end) of a request as they are now: they were just written.
  void accept(std::int64_t request, std::int64_t begin, std::int64_t end);

  // Bytes that nobody may write but somebody wrote since the last call.
  struct Changes {
    std::int64_t count = 0;
    std::int64_t first = -1;  // byte offset from the start of the pool, or before it
  };
  Changes take_changes();

 private:
  struct Request {
    std::vector<std::int64_t> pages;  // indices into the pool, without page_id_base
    std::vector<std::int64_t> ids;    // the same as physical ids
    std::int64_t length = 0;
  };
  void place_pool(std::int64_t pages);
  void changed(const std::byte* begin, std::int64_t bytes);
  std::byte* row_address(std::int64_t request, std::int64_t local) const;
  void add_images(std::int64_t page);
  void take_image_changes(Changes& changes);
  std::byte* address(std::int64_t page, std::int64_t row) const;
  std::int64_t take_page();
  void drop_page(std::int64_t page);
  void set_page(Request& request, std::size_t place, std::int64_t page);
  void poison(std::byte* begin, std::int64_t bytes);
  void copy_row(std::byte* to, const std::byte* from);
  std::byte* expected(const std::byte* address);  // the same place in expected_

  std::int64_t tokens_per_page_, row_bytes_, row_pitch_, page_pitch_, id_base_;
  std::vector<std::byte> pattern_;  // poison, one row pitch and more
  std::int64_t element_bytes_;
  PoolPlace home_;                               // on a device, else nothing
  std::vector<std::byte> compact_;               // the pool, where 31 bits reach all of it
  AddressSpan spread_;                           // else what it lies in
  std::span<std::byte> memory_;                  // the pool, or its mirror
  std::vector<std::byte*> images_;               // where pages seem to lie to who counts in 32 bits
  std::byte* subject_pool_ = nullptr;            // the pool where the subject sees it
  std::size_t dirty_begin_ = 0, dirty_end_ = 0;  // bytes of the mirror that are ahead of the device
  std::vector<std::byte> expected_;  // what memory_ holds if nobody writes what he may not
  std::vector<std::int64_t> free_;   // pool indices; the last is taken next
  std::vector<std::int64_t> users_;  // for each page, how many requests hold it
  std::map<std::int64_t, Request> requests_;
  hxc_tensor view_{};
};

}  // namespace helixcheck
