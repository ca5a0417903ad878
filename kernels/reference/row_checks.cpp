// Batches of rows whose hidden states, as doubles, take a gigabyte.

#include "kernels/reference/row_checks.hpp"

#include <algorithm>

#include "kernels/reference/compare_kernels.hpp"
#include "kernels/reference/widen.hpp"
#include "mla/formats.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::int64_t kBatchDoubles = std::int64_t{1} << 27;

std::int64_t bytes_of(std::int64_t elements, Dtype dtype) {
  return elements * static_cast<std::int64_t>(size_of(dtype));
}

}  // namespace

RowChecks::RowChecks(Memory& memory, Blas& blas, Kept& kept)
    : memory_(memory),
      blas_(blas),
      kept_(kept),
      x_codes_(memory),
      got_codes_(memory),
      latent_codes_(memory),
      streams_(memory),
      positions_(memory),
      x_(memory),
      x_norms_(memory),
      w_(memory),
      want_(memory),
      seen_(memory) {}

PromptEvidence RowChecks::prompt(const PromptRows& rows) {
  PromptEvidence evidence;
  widen_weight(rows);
  const std::int64_t batch = std::clamp<std::int64_t>(
      kBatchDoubles / (rows.hidden + rows.latent + rows.rope), 1, rows.rows);
  for (std::int64_t first = 0; first < rows.rows; first += batch) {
    check_batch(rows, first, std::min(batch, rows.rows - first), evidence);
  }
  return evidence;
}

// w_ = the weight. Prompts come in many small pieces, all with the same one.
void RowChecks::widen_weight(const PromptRows& rows) {
  const std::int64_t n = (rows.latent + rows.rope) * rows.hidden;
  const void* w = kept_.bytes(rows.w, static_cast<std::size_t>(bytes_of(n, rows.dtype)));
  if (w == widened_) return;
  widen_codes(rows.dtype, w, n, 1.0, w_.sized(n), stream_of(memory_));
  widened_ = w;
}

// x_ = the hidden states of the rows [first, first + count).
void RowChecks::make_hidden(const PromptRows& rows, std::int64_t first, std::int64_t count) {
  const cudaStream_t stream = stream_of(memory_);
  double* x = x_.sized(count * rows.hidden);
  if (!rows.drawn) {
    const void* codes =
        upload_rows(x_codes_, rows.x, first, count, bytes_of(rows.hidden, rows.dtype));
    return widen_codes(rows.dtype, codes, count * rows.hidden, 1.0, x, stream);
  }
  host_streams_.clear();
  for (const Token& token :
       rows.tokens.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))) {
    const std::int64_t request = rows.drawn->equal_requests ? 0 : token.request;
    host_streams_.push_back(
        {static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(token.draw)});
  }
  RowStream* streams = streams_.sized(count);
  copy_in<RowStream>(memory_, streams, host_streams_);
  draw_widened_rows(rows.drawn->seed, rows.drawn->tensor, streams, count, rows.hidden, rows.dtype,
                    x, stream);
}

void RowChecks::check_batch(const PromptRows& rows, std::int64_t first, std::int64_t count,
                            PromptEvidence& evidence) {
  const cudaStream_t stream = stream_of(memory_);
  const std::int64_t width = rows.latent + rows.rope, hidden = rows.hidden;
  const std::int64_t row_bytes = bytes_of(width, rows.dtype);
  make_hidden(rows, first, count);
  double* x_norms = x_norms_.sized(count);
  double* want = want_.sized(count * width);
  row_norms(x_.data(), count, hidden, x_norms, stream);
  blas_.multiply_transposed(count, width, hidden, {x_.data(), hidden}, {w_.data(), hidden}, want,
                            width);

  PromptBatch batch;
  batch.rows = count;
  batch.first_row = first;
  batch.latent = rows.latent;
  batch.rope = rows.rope;
  batch.want = want;
  batch.x_norms = x_norms;
  batch.w_norms = kept_.array(rows.w_norms);
  batch.norm_weight = kept_.array(rows.norm_weight);
  batch.inv_freq = kept_.array(std::span<const double>(rows.table->inv_freq));
  batch.kv_c = upload_rows(got_codes_, rows.kv_c, first, count, row_bytes);
  batch.eps = rows.eps;
  batch.cos_scale = rows.table->cos_scale;
  batch.interleave = rows.interleave;
  batch.bounds = rows.bounds;
  const int blocks = compare_blocks(count);
  Evidence* seen = seen_.sized(2 * blocks);
  compare_kv_c(rows.dtype, batch, seen, stream);
  if (rows.stored_latent != nullptr) {
    std::int64_t* positions = positions_.sized(count);
    copy_in(
        memory_, positions,
        rows.positions.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    batch.positions = positions;
    batch.stored_latent = upload_rows(latent_codes_, rows.stored_latent, first, count, row_bytes);
    compare_latent(rows.dtype, batch, seen + blocks, stream);
  }
  const std::span<const Evidence> all =
      collect(rows.stored_latent == nullptr ? blocks : 2 * blocks);
  const auto half = static_cast<std::size_t>(blocks);
  for (const Evidence& part : all.first(half)) join(evidence.kv_c, part);
  for (const Evidence& part : all.subspan(half)) join(evidence.latent, part);
}

Evidence RowChecks::stored(const Accelerator::StoredRows& rows) {
  Evidence evidence;
  const std::int64_t batch = std::clamp<std::int64_t>(kBatchDoubles / rows.width, 1, rows.rows);
  for (std::int64_t first = 0; first < rows.rows; first += batch) {
    Accelerator::StoredRows part = rows;
    part.rows = std::min(batch, rows.rows - first);
    part.latent =
        upload_rows(latent_codes_, rows.latent, first, part.rows, bytes_of(rows.width, rows.dtype));
    part.stored =
        upload_rows(got_codes_, rows.stored, first, part.rows, bytes_of(rows.width, rows.kv_dtype));
    const int blocks = compare_blocks(part.rows);
    compare_stored(part, first, seen_.sized(blocks), stream_of(memory_));
    for (const Evidence& more : collect(blocks)) join(evidence, more);
  }
  return evidence;
}

// Rows [first, first + count) of an array of codes on the host.
const void* RowChecks::upload_rows(Buffer<std::byte>& buffer, const void* codes, std::int64_t first,
                                   std::int64_t count, std::int64_t row_bytes) {
  std::byte* to = buffer.sized(count * row_bytes);
  copy_in(memory_, to,
          std::span(static_cast<const std::byte*>(codes) + first * row_bytes,
                    static_cast<std::size_t>(count * row_bytes)));
  return to;
}

// What the blocks left. Waits for the device, and so for all copies.
std::span<const Evidence> RowChecks::collect(int count) {
  host_seen_.resize(static_cast<std::size_t>(count));
  copy_out(memory_, std::span(host_seen_), seen_.data());
  memory_.synchronize();
  return host_seen_;
}

void RowChecks::forget(std::size_t bytes) {
  widened_ = nullptr;
  for (Buffer<std::byte>* buffer : {&x_codes_, &got_codes_, &latent_codes_}) buffer->shrink(bytes);
  for (Buffer<double>* buffer : {&x_, &w_, &want_}) buffer->shrink(bytes);
}

}  // namespace helixcheck::cuda
