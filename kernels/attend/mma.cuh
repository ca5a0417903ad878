// Absorbed attention on tensor cores (mma.sync): 16-bit queries, a cache of the same format.
//
// A thread block of 8 warps takes one row, kHeads heads and one split of the keys. Queries live in
// registers, spread over the warps along the width; keys come in tiles of 32 through a ring in
// shared memory, each tile serving as keys and as values. Per tile, two barriers part
//   softmax(n) and values(n - 1)      scores in shared memory -> probabilities; products with P
//   scores(n + 1)                     products of queries and keys
// while the ring's copies run underneath.
// Keys beyond the split's end are zeros in shared memory, and their probabilities are +0.
//
// Contract: u_acc 2^-23 (tensor core, fp32); block 16; tile 32; P rounded to model.dtype before PV,
// row sum from unrounded P; eps_exp 2^-22, P below 2^-126 is 0; running maximum per tile, splits
// merged in fp32. A dot product is the sum of four interleaved parts of the width.

#pragma once

#include "kernels/attend/mma_sync.cuh"
#include "kernels/attend/rows.cuh"
#include "kernels/check.hpp"

namespace helixcheck::cuda {

constexpr int kMmaThreads = 256;
constexpr int kWidthParts = 4;  // warps that share a dot product
constexpr int kMaxSteps = 9;    // of 16 columns, of a warp's part of the width: up to 576
constexpr int kMaxColumns = 8;  // column tiles of 8, of a warp's part of the values: up to 512
constexpr int kLines = 32;      // rows of a ring's slot
constexpr int kRowTables = 8;   // tiles whose rows have been looked up
static_assert(kTile == kLines && kMmaThreads == kLines * 8);

// Bytes of a slot's row. 16-byte chunks are swizzled in groups of eight: chunk c of row r lies at
// c ^ (r % 8), so that eight rows of one column of chunks lie in different banks.
__host__ __device__ inline int line_bytes(int width) {
  return (width + 63) / 64 * 128;
}

// Shared memory of a thread block, in bytes from its start. The ring comes last: what lies before
// it is known to the compiler.
struct MmaLayout {
  int line, slot, scores, weights, factors, ring, total;
};

__host__ __device__ inline MmaLayout mma_layout(int width, int heads, int stages) {
  MmaLayout m{};
  m.line = line_bytes(width);
  m.slot = kLines * m.line;
  m.weights = m.scores + kWidthParts * heads * kTile * 4;  // after fp32 [kWidthParts, heads, kTile]
  m.factors = m.weights + 2 * heads * kTile * 2;           // after codes [2, heads, kTile]
  m.ring = (m.factors + 2 * heads * 4 + 1023) / 1024 * 1024;  // after fp32 [2, heads]
  m.total = m.ring + stages * m.slot;
  return m;
}

// Rows of 16-bit codes that can be copied in aligned pieces of 16 bytes.
__device__ inline bool packed_rows(const hxc_tensor& t) {
  return reinterpret_cast<std::uintptr_t>(t.data) % 16 == 0 && t.stride[0] % 8 == 0 &&
         t.stride[1] % 8 == 0 && t.stride[2] == 1;
}

// Where the keys of the split are. In shared memory: registers are short.
template <typename Code>
struct KeySource {
  const Code* data;
  std::int64_t stride[3];
  const std::int64_t* pages;  // of the request
  std::int64_t page_stride;
  bool packed;
  const Code* rows[kRowTables][kLines];  // of tile n in rows[n % kRowTables]
};

// kWide: R = 512 and P = 64, known to the compiler.
template <typename Code, int kHeads, bool kWide>
struct MmaBlock {
  static constexpr int kHeadTiles = kHeads / 16;
  static constexpr int kScoreTiles = kHeads == 16 ? 1 : 2;  // head tiles of a warp's scores
  static constexpr int kKeyHalves = kHeads == 64 ? 2 : 1;   // of 16 keys, likewise
  static constexpr int kQuerySlots = (kHeads + kLines - 1) / kLines;
  static constexpr int kHeadThreads = kMmaThreads / kHeads;  // threads of a head in softmax
  static constexpr int kVector = kHeads == 16 ? 2 : 4;       // neighbouring keys of a thread
  static constexpr int kVectors = kTile / kHeadThreads / kVector;

  const AttendArgs& args;
  const RowPart& part;  // in shared memory
  KeySource<Code>& keys;
  unsigned char* shared;
  int latent, width, steps, column_tiles;
  MmaLayout layout;
  int warp, lane;
  int begin, count;     // keys of the split
  unsigned page_ahead;  // of warp 0: page id of this lane's row of the tile that is looked up next
  std::uint32_t queries[kMaxSteps][kScoreTiles][4];
  float values[kHeadTiles][kMaxColumns][4];
  float maximum, sum;  // of this thread's head in softmax; the sum over its own keys

  __device__ MmaBlock(const AttendArgs& a, const RowPart& p, unsigned char* memory,
                      KeySource<Code>& source)
      : args(a), part(p), keys(source), shared(memory) {
    latent = kWide ? 512 : args.latent;
    width = kWide ? 576 : args.latent + args.rope;
    steps = width / 16;
    column_tiles = latent / 64;
    layout = mma_layout(width, kHeads, args.stages);
    warp = static_cast<int>(threadIdx.x / 32);
    lane = static_cast<int>(threadIdx.x % 32);
    begin = part.begin;
    count = part.end - part.begin;
    maximum = -INFINITY;
    sum = 0;
#pragma unroll
    for (int m = 0; m < kHeadTiles; ++m) {
#pragma unroll
      for (int j = 0; j < kMaxColumns; ++j) {
#pragma unroll
        for (int i = 0; i < 4; ++i) values[m][j][i] = 0;
      }
    }
  }

  __device__ std::uint32_t slot(int index) const {
    return shared_address(shared) + layout.ring + index * layout.slot;
  }

  // This thread's row among the 32 of a slot.
  __device__ static int line() {
    return static_cast<int>(threadIdx.x / 8);
  }

  // Copies one row into this thread's line of a slot, together with the seven threads beside it.
  __device__ void copy_line(int to, const Code* row, std::int64_t stride, bool packed, bool valid) {
    const int first = static_cast<int>(threadIdx.x % 8);
    const int place = line() * layout.line + ((first ^ (line() % 8)) << 4);
    if (packed) {
      const char* from = reinterpret_cast<const char*>(row) + 16 * first;
      const std::uint32_t into = slot(to) + place;
#pragma unroll
      for (int i = 0; i < kMaxSteps; ++i) {
        if (!kWide && (first + 8 * i) * 8 >= width) break;
        copy_16(into + 128 * i, from + 128 * i, valid);
      }
      return;
    }
    unsigned char* into = shared + layout.ring + to * layout.slot + place;
    for (int i = 0; (first + 8 * i) * 8 < width; ++i) {
      Code* codes = reinterpret_cast<Code*>(into + 128 * i);
      for (int e = 0; e < 8; ++e) {
        codes[e] = valid ? row[((first + 8 * i) * 8 + e) * stride] : narrow<Code>(0.0f);
      }
    }
  }

  __device__ void copy_queries() {
    const hxc_step& step = args.steps[part.rank];
    const bool packed = packed_rows(step.q);
    for (int i = 0; i < kQuerySlots; ++i) {
      const int head = part.head_block * kHeads + i * kLines + line();
      const bool held = head < args.heads && i * kLines + line() < kHeads;
      const Code* row = code_at<Code>(step.q, part.row, held ? head : 0);
      copy_line(args.stages - kQuerySlots + i, row, step.q.stride[2], packed, held);
    }
    commit_copies();
  }

  // 0 beyond the split: such a row is not read.
  __device__ unsigned page_id(int key) const {
    if (key >= count) return 0;
    return static_cast<unsigned>(keys.pages[page_of(args.page, begin + key) * keys.page_stride]);
  }

  // Where the rows of tile n are: one warp, a row to a lane.
  __device__ void find_rows(int n, unsigned page) {
    const int key = n * kTile + lane;
    const std::int64_t place =
        page * keys.stride[0] + token_of(args.page, begin + key) * keys.stride[1];
    keys.rows[n % kRowTables][lane] = keys.data + (key < count ? place : 0);
  }

  // Tile n of the split; one group of copies, which is empty beyond the end.
  __device__ void copy_keys(int n, int to) {
    if (n * kTile < count) {
      copy_line(to, keys.rows[n % kRowTables][line()], keys.stride[2], keys.packed,
                n * kTile + line() < count);
    }
    commit_copies();
  }

  __device__ void load_queries() {
    const int head = (kHeads == 64 ? warp / 4 : 0) * 32 + lane % 16;
#pragma unroll
    for (int i = 0; i < kMaxSteps; ++i) {
      const int step = i * kWidthParts + warp % 4;
      if (!kWide && step >= steps) break;
#pragma unroll
      for (int m = 0; m < kScoreTiles; ++m) {
        const int row = head + 16 * m;
        const int chunk = (2 * step + lane / 16) ^ (row % 8);
        load_matrices(queries[i][m],
                      slot(args.stages - kQuerySlots) + row * layout.line + (chunk << 4));
      }
    }
  }

  // Place of a score: columns are swizzled by eights, against the banks of accumulator fragments.
  __device__ float* score_at(int width_part, int head, int key) const {
    float* scores = reinterpret_cast<float*>(shared + layout.scores);
    return scores + (width_part * kHeads + head) * kTile + (key ^ ((head & 3) << 3));
  }

  // This warp's quarter of the dot products of its heads with 16 keys.
  __device__ void store_scores(const float (&dots)[kScoreTiles][2][4], int first_key) const {
    const int head = (kHeads == 64 ? warp / 4 : 0) * 32 + lane / 4;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      float* place = score_at(warp % 4, head, first_key + 8 * j) + lane % 4 * 2;
#pragma unroll
      for (int m = 0; m < 2 * kScoreTiles; ++m) {
        *reinterpret_cast<float2*>(place + 8 * m * kTile) =
            make_float2(dots[m / 2][j][m % 2 * 2], dots[m / 2][j][m % 2 * 2 + 1]);
      }
    }
  }

  __device__ bool in_width(int i) const {
    return i < kMaxSteps && (kWide || i * kWidthParts + warp % 4 < steps);
  }

  // This warp's part of a tile's scores: a quarter of the width, 16 keys at a time. The next step's
  // keys are read while this one's are multiplied.
  __device__ void score_tile(int from) {
    const int first_key = kKeyHalves == 2 ? 0 : warp / 4 * 16;
    const int chunk = (2 * (warp % 4) + lane / 8 % 2) ^ (lane % 8);
    const std::uint32_t base =
        slot(from) + (first_key + lane / 16 * 8 + lane % 8) * layout.line + (chunk << 4);
    float dots[kScoreTiles][2][4] = {};
    std::uint32_t k[2][4];
    load_matrices(k[0], base);
#pragma unroll
    for (int t = 0; t < kKeyHalves * kMaxSteps; ++t) {
      const int half = t / kMaxSteps, i = t % kMaxSteps;
      const bool more = kWide ? t + 1 < kKeyHalves * kMaxSteps : in_width(i + 1);
      const int next_half = (t + 1) / kMaxSteps, next_i = (t + 1) % kMaxSteps;
      if (kWide && more) {
        load_matrices(k[(t + 1) % 2], base + next_half * 16 * layout.line + 128 * next_i);
      } else if (more) {
        load_matrices(k[(t + 1) % 2], base + half * 16 * layout.line + 128 * (i + 1));
      }
      if (in_width(i)) {
#pragma unroll
        for (int m = 0; m < kScoreTiles; ++m) {
          multiply_add<Code>(dots[m][0], queries[i][m], k[t % 2][0], k[t % 2][1]);
          multiply_add<Code>(dots[m][1], queries[i][m], k[t % 2][2], k[t % 2][3]);
        }
      }
      if (i + 1 < kMaxSteps) continue;
      store_scores(dots, first_key + 16 * half);
      if (half + 1 == kKeyHalves) break;
      if (!kWide) load_matrices(k[(t + 1) % 2], base + (half + 1) * 16 * layout.line);
#pragma unroll
      for (int e = 0; e < kScoreTiles * 8; ++e) dots[e / 8][e / 4 % 2][e % 4] = 0;
    }
  }

  // Key of the tile at which a thread's i-th vector of scores begins. Odd heads take them in the
  // other order: two heads share a pass over the banks.
  __device__ static int vector_key(int head, int i) {
    const int odd = kVectors == 2 ? head & 1 : 0;
    return (i ^ odd) * (kHeadThreads * kVector) +
           static_cast<int>(threadIdx.x % kHeadThreads) * kVector;
  }

  __device__ void read_scores(int head, int held, float (&scores)[kVectors][kVector]) const {
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int key = vector_key(head, i);
      float parts[kWidthParts][kVector];
#pragma unroll
      for (int w = 0; w < kWidthParts; ++w) {
        const float* from = score_at(w, head, key);
        if constexpr (kVector == 4) {
          *reinterpret_cast<float4*>(parts[w]) = *reinterpret_cast<const float4*>(from);
        } else {
          *reinterpret_cast<float2*>(parts[w]) = *reinterpret_cast<const float2*>(from);
        }
      }
#pragma unroll
      for (int e = 0; e < kVector; ++e) {
        const float dot = (parts[0][e] + parts[1][e]) + (parts[2][e] + parts[3][e]);
        scores[i][e] = key + e < held ? dot * args.score_scale : -INFINITY;
      }
    }
  }

  // Probabilities lie as rows of 32 codes, their four chunks swizzled over pairs of rows.
  __device__ int weight_place(int which, int head, int chunk) const {
    return layout.weights + (which * kHeads + head) * (kTile * 2) + ((chunk ^ (head / 2 % 4)) << 4);
  }

  __device__ void softmax(int n) {
    const int head = static_cast<int>(threadIdx.x / kHeadThreads);
    const int held = count - n * kTile;
    float scores[kVectors][kVector];
    read_scores(head, held, scores);
    float top = maximum;
#pragma unroll
    for (int i = 0; i < kVectors * kVector; ++i) top = fmaxf(top, scores[i / kVector][i % kVector]);
#pragma unroll
    for (int step = kHeadThreads / 2; step > 0; step /= 2) {
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
    }
    const float base = top == -INFINITY ? 0 : top;
    const float factor = power_of_two(maximum - base);
    float added = 0;
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int key = vector_key(head, i);
      float p[kVector];
#pragma unroll
      for (int e = 0; e < kVector; ++e) {
        p[e] = power_of_two(scores[i][e] - base);  // +0 for a score of -inf
        added += p[e];
      }
      unsigned char* place = shared + weight_place(n % 2, head, key / 8) + key % 8 * 2;
#pragma unroll
      for (int e = 0; e < kVector; e += 2) {
        *reinterpret_cast<std::uint32_t*>(place + 2 * e) = narrow_pair<Code>(p[e], p[e + 1]);
      }
    }
    sum = sum * factor + added;
    maximum = top;
    if (threadIdx.x % kHeadThreads == 0) factors(n % 2)[head] = factor;
  }

  __device__ float* factors(int which) const {
    return reinterpret_cast<float*>(shared + layout.factors) + which * kHeads;
  }

  // Brings the sums to the new maximum. Most tiles leave every maximum of a warp's heads as it is.
  __device__ void rescale(int which) {
#pragma unroll
    for (int m = 0; m < kHeadTiles; ++m) {
      const float upper = factors(which)[16 * m + lane / 4];
      const float lower = factors(which)[16 * m + 8 + lane / 4];
      if (!__any_sync(0xffffffffu, upper != 1.0f || lower != 1.0f)) continue;
#pragma unroll
      for (int j = 0; j < kMaxColumns; ++j) {
        values[m][j][0] *= upper;
        values[m][j][1] *= upper;
        values[m][j][2] *= lower;
        values[m][j][3] *= lower;
      }
    }
  }

  // Column tiles j and j + 1 of this warp, 16 keys. An odd last tile is read twice: what lies
  // beyond the columns may lie beyond the ring.
  __device__ void load_values(std::uint32_t (&v)[4], std::uint32_t row, int j) const {
    const int column = kWide ? j + lane / 16 : min(j + lane / 16, column_tiles - 1);
    const int chunk =
        kWide ? 8 * warp + (column ^ (lane % 8)) : (warp * column_tiles + column) ^ (lane % 8);
    load_transposed(v, row + (chunk << 4));
  }

  // values += probabilities x tile, in this warp's columns. The next columns are read while these
  // are multiplied.
  __device__ void add_values(int from, int weights) {
    constexpr int kPairs = kMaxColumns / 2;
    const std::uint32_t row = slot(from) + lane % 16 * layout.line;
    std::uint32_t p[kHeadTiles][4];
    std::uint32_t v[2][4];
    load_values(v[0], row, 0);
    load_weights(p, weights, 0);
    rescale(weights);
#pragma unroll
    for (int i = 0; i < 2 * kPairs; ++i) {
      const int j = i % kPairs * 2;
      if (i == kPairs) load_weights(p, weights, 1);
      const int next_j = (i + 1) % kPairs * 2;
      if (i + 1 < 2 * kPairs && (kWide || next_j < column_tiles)) {
        load_values(v[(i + 1) % 2], row + (i + 1) / kPairs * 16 * layout.line, next_j);
      }
      if (!kWide && j >= column_tiles) continue;
#pragma unroll
      for (int m = 0; m < kHeadTiles; ++m) {
        multiply_add<Code>(values[m][j], p[m], v[i % 2][0], v[i % 2][1]);
      }
      if (!kWide && j + 1 >= column_tiles) continue;
#pragma unroll
      for (int m = 0; m < kHeadTiles; ++m) {
        multiply_add<Code>(values[m][j + 1], p[m], v[i % 2][2], v[i % 2][3]);
      }
    }
  }

  // Probabilities of all heads for 16 keys.
  __device__ void load_weights(std::uint32_t (&p)[kHeadTiles][4], int weights, int half) const {
    const std::uint32_t place =
        shared_address(shared) + weight_place(weights, lane % 16, 2 * half + lane / 16);
#pragma unroll
    for (int m = 0; m < kHeadTiles; ++m) load_matrices(p[m], place + m * 16 * kTile * 2);
  }

  __device__ int next(int index) const {
    return index + 1 == args.stages ? 0 : index + 1;
  }

  // The keys of the split. Scores run a tile ahead of softmax, softmax a tile ahead of values.
  __device__ void attend() {
    const int ahead = args.stages - 2;
    start(ahead);
    const int tiles = (count + kTile - 1) / kTile;
    int last = args.stages - 1, current = 0, free = ahead;
    for (int n = 0; n < tiles; ++n) {
      copy_keys(n + ahead, free);
      if (warp == 0) {
        find_rows(n + ahead + 1, page_ahead);
        page_ahead = page_id((n + ahead + 2) * kTile + lane);
      }
      // Two warps share a scheduler: one is at softmax while the other's products run.
      if (warp < 4) softmax(n);
      if (n > 0) add_values(last, (n + 1) % 2);
      if (warp >= 4) softmax(n);
      wait_copies(ahead - 1);
      __syncthreads();
      if (n + 1 < tiles) score_tile(next(current));
      __syncthreads();
      free = last;
      last = current;
      current = next(current);
    }
    add_values(last, (tiles + 1) % 2);
    __syncthreads();
  }

  // Queries into registers, the first tiles on their way, the first scores.
  __device__ void start(int ahead) {
    copy_queries();
    if (warp <= ahead) find_rows(warp, page_id(warp * kTile + lane));
    page_ahead = page_id((ahead + 1) * kTile + lane);
    __syncthreads();
    copy_keys(0, 0);
    wait_copies<1>();
    __syncthreads();
    load_queries();
    __syncthreads();
    for (int n = 1; n < ahead; ++n) copy_keys(n, n);
    wait_copies(ahead - 1);
    __syncthreads();
    score_tile(0);
    __syncthreads();
  }

  // Sums of values, divided where the split is the row's only one; statistics of each head.
  __device__ void write() {
#pragma unroll
    for (int step = kHeadThreads / 2; step > 0; step /= 2) {
      sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    const hxc_step& step = args.steps[part.rank];
    const bool whole = part.live_splits == 1;
    if (threadIdx.x % kHeadThreads == 0) {
      const int local = static_cast<int>(threadIdx.x / kHeadThreads);
      const int head = part.head_block * kHeads + local;
      factors(0)[local] = 1.0f / sum;
      if (head < args.heads && whole) {
        write_lse(args, step, part.row, head, maximum, sum);
      } else if (head < args.heads) {
        args.statistics[split_index(args, part.rank, part.row, part.split, head)] =
            make_float2(maximum, sum);
      }
    }
    __syncthreads();
#pragma unroll
    for (int m = 0; m < kHeadTiles; ++m) {
#pragma unroll
      for (int i = 0; i < 4; i += 2) write_half(m, i, step, whole);
    }
  }

  // The accumulators of one head: elements i and i + 1 of each column tile.
  __device__ void write_half(int m, int i, const hxc_step& step, bool whole) {
    const int local = 16 * m + i * 4 + lane / 4;
    const int head = part.head_block * kHeads + local;
    if (head >= args.heads) return;
    const int first = warp * column_tiles * 8 + lane % 4 * 2;
    if (!whole) {
      float* place =
          args.values + split_index(args, part.rank, part.row, part.split, head) * latent + first;
#pragma unroll
      for (int j = 0; j < kMaxColumns; ++j) {
        if (!kWide && j >= column_tiles) break;
        *reinterpret_cast<float2*>(place + 8 * j) =
            make_float2(values[m][j][i], values[m][j][i + 1]);
      }
      return;
    }
    const float inverse = factors(0)[local];
    const std::int64_t stride = step.partial_o.stride[2];
    Code* place = code_at<Code>(step.partial_o, part.row, head) + first * stride;
    const bool packed = stride == 1 && reinterpret_cast<std::uintptr_t>(place) % 4 == 0;
#pragma unroll
    for (int j = 0; j < kMaxColumns; ++j) {
      if (!kWide && j >= column_tiles) break;
      const float low = values[m][j][i] * inverse, high = values[m][j][i + 1] * inverse;
      if (packed) {
        *reinterpret_cast<std::uint32_t*>(place + 8 * j) = narrow_pair<Code>(low, high);
      } else {
        place[8 * j * stride] = narrow<Code>(low);
        place[(8 * j + 1) * stride] = narrow<Code>(high);
      }
    }
  }
};

template <typename Code, int kHeads, bool kWide>
__global__ void __launch_bounds__(kMmaThreads, 1) attend_mma(const AttendArgs args) {
  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ KeySource<Code> keys;
  __shared__ RowPart part;
  if (threadIdx.x == 0) {
    part = row_part(args);
    if (part.begin < part.end) {
      const hxc_step& step = args.steps[part.rank];
      keys.data = static_cast<const Code*>(step.cache.data);
      for (int i = 0; i < 3; ++i) keys.stride[i] = step.cache.stride[i];
      keys.pages = &int_at(step.block_table, part.request);
      keys.page_stride = step.block_table.stride[1];
      keys.packed = packed_rows(step.cache);
    }
  }
  __syncthreads();
  if (part.begin == part.end) {
    if (part.visible == 0 && part.split == 0) {
      write_empty(args, args.steps[part.rank], part.row, part.head_block * kHeads, kHeads);
    }
    return;
  }
  MmaBlock<Code, kHeads, kWide> block(args, part, shared, keys);
  block.attend();
  block.write();
}

using MmaKernel = void (*)(const AttendArgs);

template <typename Code, bool kWide>
MmaKernel mma_kernel(int head_block) {
  switch (head_block) {
    case 16: return attend_mma<Code, 16, kWide>;
    case 32: return attend_mma<Code, 32, kWide>;
    default: return attend_mma<Code, 64, kWide>;
  }
}

template <typename Code>
MmaKernel mma_kernel(const AttendLaunch& launch) {
  const bool wide = launch.sizes.latent == 512 && launch.sizes.rope == 64;
  return wide ? mma_kernel<Code, true>(launch.head_block)
              : mma_kernel<Code, false>(launch.head_block);
}

template <typename Code>
void prepare_mma(const AttendLaunch& launch) {
  allow_shared_memory(reinterpret_cast<const void*>(mma_kernel<Code>(launch)));
}

template <typename Code>
void launch_mma(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                cudaStream_t stream) {
  const dim3 blocks(grid.blocks, grid.ranks);
  mma_kernel<Code>(launch)<<<blocks, kMmaThreads, launch.shared_bytes, stream>>>(args);
  HXC_CHECK_LAUNCH("attend_mma");
}

}  // namespace helixcheck::cuda
