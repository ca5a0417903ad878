// Stage `append`: every local row of the step's requests, read back right after it. Rows that were
// there before must not have changed by a bit; new ones must be the latent row as stored in the
// cache's format, on the token's owner and nowhere else. Whatever lies there is where the next step
// starts from.

#include <algorithm>
#include <atomic>
#include <cstring>

#include "mla/formats.hpp"
#include "mla/parallel.hpp"
#include "scenario/ownership.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kChunk = 256;             // given rows drawn at once
constexpr std::int64_t kManyValues = 1'000'000;  // worth the way to an accelerator

// The shards of one request as read back, and where the next new row of each lies.
struct Readback {
  JudgeState& state;
  const StepView& step;
  std::int64_t slot;
  CacheMirror::Request& mirror;
  std::vector<const std::byte*> rows;    // by rank
  std::vector<std::int64_t> next_local;  // by rank: local row of the next token it owns
  std::vector<std::int64_t> next_pending;
  std::vector<char> unchanged;  // by rank: the old rows
  bool as_handed_over = false;  // every new row has the bits of its latent row

  std::int64_t id() const { return step.taps().requests[static_cast<std::size_t>(slot)].id; }
};

Place place_of(const Readback& r, std::int64_t rank, std::int64_t local) {
  Place place;
  place.step = r.step.taps().step;
  place.request = r.id();
  place.row = local;
  place.rank = rank;
  place.element = 0;
  return place;
}

std::int64_t row_bytes(const JudgeState& state, Dtype dtype) {
  return state.geometry.width * static_cast<std::int64_t>(size_of(dtype));
}

bool same_bytes(const std::byte* a, const std::byte* b, std::size_t count) {
  constexpr std::int64_t kPart = 1 << 20;
  std::atomic<bool> same = true;
  const std::int64_t bytes = static_cast<std::int64_t>(count), parts = (bytes + kPart - 1) / kPart;
  parallel_for(parts, static_cast<double>(bytes), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t stop = std::min(end * kPart, bytes);
    const auto size = static_cast<std::size_t>(stop - begin * kPart);
    if (std::memcmp(a + begin * kPart, b + begin * kPart, size) != 0) same = false;
  });
  return same;
}

void judge_old_rows(Readback& r, std::int64_t rank) {
  const Geometry& g = r.state.geometry;
  const CacheMirror::Shard& shard = r.mirror.shards[static_cast<std::size_t>(rank)];
  const std::int64_t bytes = row_bytes(r.state, g.kv_dtype);
  const std::int64_t rows = std::ssize(shard.seen) / bytes;
  const std::byte* got = r.rows[static_cast<std::size_t>(rank)];
  Tally& tally = r.state.ledger.tap(Tap::cache_rows);
  r.unchanged.push_back(same_bytes(got, shard.seen.data(), shard.seen.size()));
  if (r.unchanged.back()) return tally.count_equal(rows * g.width);
  for (std::int64_t row = 0; row < rows; ++row) {
    tally.compare_codes(g.kv_dtype, got + row * bytes, shard.seen.data() + row * bytes, g.width,
                        place_of(r, rank, row));
  }
}

// One new row against the latent [R + P] it was made from, codes of dtype.
void judge_new_row(Readback& r, std::int64_t rank, std::int64_t local, const std::byte* latent) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const double scale = s.problem.kv_scale;
  const std::byte* got = r.rows[static_cast<std::size_t>(rank)] + local * row_bytes(s, g.kv_dtype);
  Tally& tally = s.ledger.tap(Tap::cache_rows);
  if (g.dtype == g.kv_dtype && scale == 1.0 &&
      std::memcmp(got, latent, static_cast<std::size_t>(row_bytes(s, g.dtype))) == 0) {
    return tally.count_equal(g.width);
  }
  const std::span<double> want = sized(s.scratch.want, g.width);
  const std::span<double> bound = sized(s.scratch.bound, g.width);
  const std::span<double> value = sized(s.scratch.got, g.width);
  decode_to(g.dtype, latent, want);
  decode_to(g.kv_dtype, got, value);
  for (std::size_t i = 0; i < want.size(); ++i) {
    bound[i] = bounds::cache_value(want[i], scale);
    want[i] /= scale;
  }
  tally.compare(g.kv_dtype, value, want, bound, place_of(r, rank, local));
}

// The rows of one token on all ranks that own it. latent: null where it comes from the mirror.
void judge_token(Readback& r, std::int64_t owner, const std::byte* latent) {
  JudgeState& s = r.state;
  for (std::int64_t rank = owner; rank < s.geometry.ranks; rank += s.geometry.kvp) {
    const auto i = static_cast<std::size_t>(rank);
    const std::byte* wanted = latent;
    if (wanted == nullptr) {
      const CacheMirror::Shard& shard = r.mirror.shards[i];
      const std::int64_t pending = r.next_pending[i]++;
      const bool shown =
          pending < std::ssize(shard.shown) && shard.shown[static_cast<std::size_t>(pending)] != 0;
      if (shown) wanted = shard.pending.data() + pending * row_bytes(s, s.geometry.dtype);
    }
    const std::int64_t local = r.next_local[i]++;
    if (wanted != nullptr) {
      judge_new_row(r, rank, local, wanted);
    } else {
      s.lack_input(Tap::cache_rows);
    }
  }
}

// Codes of the given rows of tokens first .. first + count of the request.
void draw_given(JudgeState& state, const RequestState& request, std::int64_t first,
                std::int64_t count) {
  const std::int64_t bytes = row_bytes(state, state.geometry.dtype);
  state.scratch.codes.resize(static_cast<std::size_t>(count * bytes));
  for (const TokenRun& run : request.tokens.runs()) {
    const std::int64_t begin = std::max(first, run.index);
    const std::int64_t end = std::min(first + count, run.index + run.count);
    if (begin >= end) continue;
    const Token token{run.first.request, run.first.draw + begin - run.index};
    state.inputs.latent(token, begin, end - begin,
                        state.scratch.codes.data() + (begin - first) * bytes);
  }
}

// The new rows of a rank and the latent rows that all of them were made from, side by side.
struct NewRows {
  const std::byte* got;
  const std::byte* latent;
  std::int64_t count;
};

// By rank; empty if a latent row was not shown.
std::vector<NewRows> handed_over(const Readback& r) {
  std::vector<NewRows> all;
  for (std::size_t i = 0; i < r.mirror.shards.size(); ++i) {
    const CacheMirror::Shard& shard = r.mirror.shards[i];
    const std::int64_t count =
        r.step.local_len(static_cast<std::int64_t>(i), r.slot) - r.next_local[i];
    if (count != std::ssize(shard.shown)) return {};
    if (std::find(shard.shown.begin(), shard.shown.end(), 0) != shard.shown.end()) return {};
    all.push_back({r.rows[i] + shard.seen.size(), shard.pending.data(), count});
  }
  return all;
}

// Many rows at once, where they lie side by side and nothing is wrong with them; false: they must
// be judged one by one.
bool pass_new_rows(Readback& r) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const std::vector<NewRows> all = handed_over(r);
  const bool copied = g.dtype == g.kv_dtype && s.problem.kv_scale == 1.0;
  std::int64_t values = 0;
  for (const NewRows& rows : all) values += rows.count * g.width;
  if (all.empty() || (!copied && (s.accelerator == nullptr || values < kManyValues))) return false;

  std::vector<Evidence> seen;
  for (const NewRows& rows : all) {
    if (copied) {
      const auto bytes = static_cast<std::size_t>(rows.count * row_bytes(s, g.dtype));
      if (!same_bytes(rows.got, rows.latent, bytes)) return false;
    } else {
      seen.push_back(s.accelerator->check_stored({rows.count, g.width, g.dtype, g.kv_dtype,
                                                  rows.latent, rows.got, s.problem.kv_scale,
                                                  bounds::cache_factor(s.problem.kv_scale)}));
      if (seen.back().failures > 0) return false;
    }
  }
  r.as_handed_over = copied;
  Tally& tally = s.ledger.tap(Tap::cache_rows);
  if (copied) tally.count_equal(values);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const Evidence::Worst& worst = seen[i].worst;
    Place place = place_of(r, static_cast<std::int64_t>(i), r.next_local[i] + worst.row);
    place.element = worst.element;
    tally.absorb(seen[i], place);
  }
  return true;
}

void judge_new_rows(Readback& r) {
  JudgeState& s = r.state;
  const RequestState& request = r.step.request(r.slot);
  const bool core = s.problem.entry == Entry::core;
  const std::int64_t given = core                                ? request.tokens.size()
                             : s.problem.prompt == Prompt::given ? request.prompt_len
                                                                 : 0;
  const std::int64_t size = request.tokens.size();
  if (given <= r.mirror.confirmed && pass_new_rows(r)) return;
  for (std::int64_t first = r.mirror.confirmed; first < size; first += kChunk) {
    const std::int64_t count = std::min(kChunk, size - first);
    const std::int64_t drawn = std::clamp<std::int64_t>(given - first, 0, count);
    if (drawn > 0) draw_given(s, request, first, drawn);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::byte* latent =
          i < drawn ? s.scratch.codes.data() + i * row_bytes(s, s.geometry.dtype) : nullptr;
      judge_token(r, owner_of(s.scenario.layout, first + i, request.prompt_len), latent);
    }
  }
}

// What was read becomes what is known.
void confirm(Readback& r) {
  for (std::int64_t rank = 0; rank < r.state.geometry.ranks; ++rank) {
    CacheMirror::Shard& shard = r.mirror.shards[static_cast<std::size_t>(rank)];
    const std::byte* rows = r.rows[static_cast<std::size_t>(rank)];
    const auto bytes = static_cast<std::size_t>(r.step.local_len(rank, r.slot) *
                                                row_bytes(r.state, r.state.geometry.kv_dtype));
    if (!r.unchanged[static_cast<std::size_t>(rank)]) {
      std::copy(rows, rows + shard.seen.size(), shard.seen.begin());
    }
    if (shard.seen.empty() && r.as_handed_over) {
      shard.seen.swap(shard.pending);  // the same bits, without a second copy of a long prompt
    } else {
      shard.seen.insert(shard.seen.end(), rows + shard.seen.size(), rows + bytes);
    }
    shard.pending.clear();
    shard.shown.clear();
  }
  r.mirror.confirmed = r.step.request(r.slot).tokens.size();
}

// The latent rows of this step, each on its owner.
void push_latents(JudgeState& state, const StepView& step) {
  for (std::int64_t row = 0; row < step.real_rows(); ++row) {
    const Row& r = step.taps().rows[static_cast<std::size_t>(row)];
    const std::int64_t owner =
        owner_of(state.scenario.layout, r.index, step.request(r.slot).prompt_len);
    for (std::int64_t rank = owner; rank < state.geometry.ranks; rank += state.geometry.kvp) {
      const TapView* latent = step.find(rank, Tap::latent);
      state.mirror.push(
          r.request, rank,
          latent != nullptr ? rows_of(*latent, state.geometry.width).row(row) : nullptr);
    }
  }
}

// Bytes of the cache that nobody may write, before and after the end of `append`.
void judge_strays(JudgeState& state, const StepView& step, std::int64_t rank) {
  for (const Tap tap : {Tap::cache_spare, Tap::cache_late}) {
    const TapView* strays = step.find(rank, tap);
    if (strays == nullptr) continue;
    Place place;
    place.step = step.taps().step;
    place.rank = rank;
    place.element = strays->as_int64()[1];
    state.ledger.tap(tap).compare_integer(strays->as_int64()[0], 0, place);
  }
}

}  // namespace

void judge_cache(JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  if (state.problem.entry == Entry::layer) push_latents(state, step);
  std::vector<const std::byte*> rows(static_cast<std::size_t>(g.ranks));
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    judge_strays(state, step, rank);
    const TapView* tap = step.find(rank, Tap::cache_rows);
    if (tap == nullptr) return;
    rows[static_cast<std::size_t>(rank)] = tap->data;
  }
  for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
    CacheMirror::Request& mirror =
        state.mirror.at(step.taps().requests[static_cast<std::size_t>(slot)].id);
    Readback r{state, step, slot, mirror, rows, {}, {}, {}};
    for (const CacheMirror::Shard& shard : mirror.shards) {
      r.next_local.push_back(std::ssize(shard.seen) / row_bytes(state, g.kv_dtype));
      r.next_pending.push_back(0);
    }
    for (std::int64_t rank = 0; rank < g.ranks; ++rank) judge_old_rows(r, rank);
    judge_new_rows(r);
    confirm(r);
    for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
      rows[static_cast<std::size_t>(rank)] +=
          step.local_len(rank, slot) * row_bytes(state, g.kv_dtype);
    }
  }
}

}  // namespace helixcheck
