// Stage `attend` on a GPU against a plain fp64 loop, within the bounds of its contract.
//
// Whatever a row may not see is NaN: page tails, other pages, gaps between rows.

#include "kernels/attend/attend.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/check.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool no_device() {
  int count = 0;
  const bool found = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  cudaGetLastError();
  return !found;
}

#define NEEDS_DEVICE() \
  if (no_device()) GTEST_SKIP() << "no CUDA device on this machine"

std::size_t code_bytes(int dtype) {
  switch (dtype) {
    case HXC_FP32: return 4;
    case HXC_FP8_E4M3: return 1;
    case HXC_INT64: return 8;
    default: return 2;
  }
}

// Stores x as a code and returns what the code stands for.
double store_code(int dtype, void* base, std::int64_t i, double x) {
  const auto f = static_cast<float>(x);
  switch (dtype) {
    case HXC_FP32: return static_cast<float*>(base)[i] = f;
    case HXC_FP16: return __half2float(static_cast<__half*>(base)[i] = __float2half_rn(f));
    case HXC_BF16:
      return __bfloat162float(static_cast<__nv_bfloat16*>(base)[i] = __float2bfloat16_rn(f));
    default: {
      const __nv_fp8_e4m3 code(f);
      static_cast<__nv_fp8_e4m3*>(base)[i] = code;
      return static_cast<float>(code);
    }
  }
}

double load_code(int dtype, const void* base, std::int64_t i) {
  switch (dtype) {
    case HXC_FP32: return static_cast<const float*>(base)[i];
    case HXC_FP16: return __half2float(static_cast<const __half*>(base)[i]);
    default: return __bfloat162float(static_cast<const __nv_bfloat16*>(base)[i]);
  }
}

// A tensor on both sides. Every byte 0xff at first: NaN in each format, -1 as an integer.
class Tensor {
 public:
  Tensor(int dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> stride) : view_{} {
    view_.dtype = dtype;
    view_.rank = static_cast<int>(shape.size());
    std::int64_t count = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      view_.shape[i] = shape[i];
      view_.stride[i] = stride[i];
      count += std::max<std::int64_t>(shape[i] - 1, 0) * stride[i];
    }
    host.assign(static_cast<std::size_t>(count) * code_bytes(dtype), std::byte{0xff});
    HXC_CHECK(cudaMalloc(&view_.data, host.size()));
  }
  Tensor(const Tensor&) = delete;
  ~Tensor() { cudaFree(view_.data); }

  std::int64_t at(std::int64_t i, std::int64_t j = 0, std::int64_t k = 0) const {
    return i * view_.stride[0] + j * view_.stride[1] + k * view_.stride[2];
  }
  std::int64_t& integer(std::int64_t i, std::int64_t j = 0) {
    return reinterpret_cast<std::int64_t*>(host.data())[at(i, j)];
  }
  double value(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return load_code(view_.dtype, host.data(), at(i, j, k));
  }
  void upload() { HXC_CHECK(cudaMemcpy(view_.data, host.data(), host.size(), cudaMemcpyDefault)); }
  void download() {
    HXC_CHECK(cudaMemcpy(host.data(), view_.data, host.size(), cudaMemcpyDefault));
  }
  const hxc_tensor& view() const { return view_; }

  std::vector<std::byte> host;

 private:
  hxc_tensor view_;
};

struct Shape {
  int heads = 16, latent = 512, rope = 64;
  int dtype = HXC_BF16, kv_dtype = HXC_BF16;
  double kv_scale = 1;
  int page = 64, max_len = 300, max_sizes_len = 0;  // the latter: what plan_attend is told
  int lse_form = HXC_LSE_LN;
  int ranks = 1, requests = 4, gap = 0, step = 1;  // step: stride of the last axis
  unsigned seed = 1;
  unsigned page_seed = 1;
};

std::string name_of(const Shape& s) {
  return "heads " + std::to_string(s.heads) + ", R " + std::to_string(s.latent) + ", P " +
         std::to_string(s.rope) + ", dtype " + std::to_string(s.dtype) + "/" +
         std::to_string(s.kv_dtype) + ", page " + std::to_string(s.page) + ", len " +
         std::to_string(s.max_len) + ", gap " + std::to_string(s.gap);
}

// One rank's step, and its keys and queries in fp64.
struct Rank {
  std::vector<std::int64_t> lengths, row_requests, visibles;
  std::unique_ptr<Tensor> table, cache, q, visible, row_request, local_len, partial_o, lse;
  std::vector<std::vector<double>> keys;  // per request, [len, width]
  std::vector<double> queries;            // [B, heads, width]
  hxc_step step{};
};

std::unique_ptr<Tensor> tensor(int dtype, std::int64_t a, std::int64_t b, std::int64_t c, int gap,
                               int step) {
  const std::int64_t inner = c * step + gap, outer = b * inner + gap;
  return std::make_unique<Tensor>(dtype, std::vector<std::int64_t>{a, b, c},
                                  std::vector<std::int64_t>{outer, inner, step});
}

void draw_lengths(const Shape& s, Rank& rank, std::mt19937& random) {
  for (int r = 0; r < s.requests; ++r) {
    std::int64_t len = static_cast<std::int64_t>(random() % (s.max_len + 1));
    if (r == 0) len = s.max_len;
    if (r == 1) len = 0;
    rank.lengths.push_back(len);
    const std::int64_t rows = 1 + r % 3;
    for (std::int64_t i = 0; i < rows; ++i) {
      rank.row_requests.push_back(r);
      rank.visibles.push_back(std::max<std::int64_t>(0, len - (rows - 1 - i)));
    }
  }
  for (int i = 0; i < 2; ++i) rank.row_requests.push_back(-1), rank.visibles.push_back(0);
}

void fill_cache(const Shape& s, Rank& rank, std::mt19937& random) {
  const std::int64_t most = (s.max_len + s.page - 1) / s.page + 1, width = s.latent + s.rope;
  std::vector<std::int64_t> ids(static_cast<std::size_t>(most * s.requests + 3));
  std::iota(ids.begin(), ids.end(), 0);
  std::mt19937 page_random(s.page_seed);
  std::shuffle(ids.begin(), ids.end(), page_random);
  rank.table = std::make_unique<Tensor>(HXC_INT64, std::vector<std::int64_t>{s.requests, most},
                                        std::vector<std::int64_t>{most + 3, 1});
  rank.cache =
      tensor(s.kv_dtype, static_cast<std::int64_t>(ids.size()), s.page, width, s.gap, s.step);
  std::normal_distribution<double> normal;
  for (int r = 0; r < s.requests; ++r) {
    std::vector<double> keys;
    for (std::int64_t i = 0; i < rank.lengths[r]; ++i) {
      std::int64_t& id = rank.table->integer(r, i / s.page);
      if (id < 0) id = ids.back(), ids.pop_back();
      for (std::int64_t c = 0; c < width; ++c) {
        const double x = store_code(s.kv_dtype, rank.cache->host.data(),
                                    rank.cache->at(id, i % s.page, c), normal(random) / s.kv_scale);
        keys.push_back(s.kv_scale == 1 ? x
                                       : static_cast<float>(x) * static_cast<float>(s.kv_scale));
      }
    }
    rank.keys.push_back(std::move(keys));
  }
}

void fill_queries(const Shape& s, Rank& rank, std::mt19937& random) {
  const auto rows = static_cast<std::int64_t>(rank.row_requests.size());
  const std::int64_t width = s.latent + s.rope;
  rank.q = tensor(s.dtype, rows, s.heads, width, s.gap, s.step);
  rank.partial_o = tensor(s.dtype, rows, s.heads, s.latent, s.gap, s.step);
  rank.lse = tensor(HXC_FP32, rows, s.heads, s.lse_form == HXC_LSE_MAX_SUM ? 2 : 1, s.gap, 1);
  rank.visible = tensor(HXC_INT64, rows, 1, 1, s.gap, 1);
  rank.row_request = tensor(HXC_INT64, rows, 1, 1, s.gap, 1);
  rank.local_len = tensor(HXC_INT64, s.requests, 1, 1, 0, 1);
  std::normal_distribution<double> normal;
  for (std::int64_t b = 0; b < rows; ++b) {
    rank.visible->integer(b) = rank.visibles[b];
    rank.row_request->integer(b) = rank.row_requests[b];
    for (int h = 0; h < s.heads; ++h) {
      for (std::int64_t c = 0; c < width; ++c) {
        const double x = normal(random);
        if (rank.row_requests[b] < 0) continue;  // a padding row's query is poison
        rank.queries.push_back(store_code(s.dtype, rank.q->host.data(), rank.q->at(b, h, c), x));
      }
    }
  }
  for (int r = 0; r < s.requests; ++r) rank.local_len->integer(r) = rank.lengths[r];
}

Rank make_rank(const Shape& s, unsigned index) {
  std::mt19937 random(s.seed * 97 + index);
  Rank rank;
  draw_lengths(s, rank, random);
  fill_cache(s, rank, random);
  fill_queries(s, rank, random);
  for (Tensor* t :
       {rank.table.get(), rank.cache.get(), rank.q.get(), rank.visible.get(),
        rank.row_request.get(), rank.local_len.get(), rank.partial_o.get(), rank.lse.get()}) {
    t->upload();
  }
  rank.step.request_count = s.requests;
  rank.step.rows = static_cast<std::int64_t>(rank.row_requests.size());
  rank.step.block_table = rank.table->view();
  rank.step.cache = rank.cache->view();
  rank.step.q = rank.q->view();
  rank.step.visible = rank.visible->view();
  rank.step.row_request = rank.row_request->view();
  rank.step.local_len = rank.local_len->view();
  rank.step.partial_o = rank.partial_o->view();
  rank.step.lse = rank.lse->view();
  return rank;
}

double scale_of(const Shape& s) {
  return 1.0 / std::sqrt(s.latent + s.rope);
}

AttendLaunch plan(const Shape& s, std::int64_t rows) {
  AttendSizes sizes;
  sizes.ranks = s.ranks;
  sizes.max_rows = rows + 1;
  sizes.max_requests = s.requests;
  sizes.max_local_len = std::max(s.max_len, s.max_sizes_len);
  sizes.heads = s.heads;
  sizes.latent = s.latent;
  sizes.rope = s.rope;
  sizes.dtype = s.dtype;
  sizes.kv_dtype = s.kv_dtype;
  sizes.kv_scale = s.kv_scale;
  sizes.softmax_scale = scale_of(s);
  sizes.tokens_per_block = s.page;
  sizes.lse_form = s.lse_form;
  return plan_attend(sizes);
}

AttendLaunch run(const Shape& s, std::vector<Rank>& ranks) {
  std::vector<hxc_step> steps;
  for (Rank& rank : ranks) steps.push_back(rank.step);
  const AttendLaunch launch = plan(s, steps[0].rows);
  hxc_step* device_steps = nullptr;
  void* workspace = nullptr;
  HXC_CHECK(cudaMalloc(&device_steps, steps.size() * sizeof(hxc_step)));
  HXC_CHECK(
      cudaMemcpy(device_steps, steps.data(), steps.size() * sizeof(hxc_step), cudaMemcpyDefault));
  if (launch.workspace_bytes > 0) {
    HXC_CHECK(cudaMalloc(&workspace, launch.workspace_bytes));
    HXC_CHECK(cudaMemset(workspace, 0xff, launch.workspace_bytes));
  }
  enqueue_attend(launch, device_steps, steps[0].rows, workspace, nullptr);
  HXC_CHECK(cudaDeviceSynchronize());
  for (Rank& rank : ranks) rank.partial_o->download(), rank.lse->download();
  cudaFree(device_steps);
  cudaFree(workspace);
  return launch;
}

// Roundings of the contract.
struct Units {
  double accumulate, p, out, tiny;
};

Units units_of(const Shape& s, bool tensor_cores) {
  const double out = s.dtype == HXC_FP32 ? 0x1p-24 : s.dtype == HXC_FP16 ? 0x1p-11 : 0x1p-8;
  const double tiny = s.dtype == HXC_FP16 ? 0x1p-25 : 0;
  return {tensor_cores ? 0x1p-23 : 0x1p-24, tensor_cores ? out : 0, out, tiny};
}

struct Worst {
  double o = 0, lse = 0;  // error over bound
};

double read_lse(const Shape& s, const Rank& rank, std::int64_t b, int h) {
  const auto* lse = reinterpret_cast<const float*>(rank.lse->host.data());
  const double first = lse[rank.lse->at(b, h, 0)];
  if (s.lse_form == HXC_LSE_LOG2) return first * std::log(2.0);
  if (s.lse_form == HXC_LSE_LN) return first;
  return first + std::log(static_cast<double>(lse[rank.lse->at(b, h, 1)]));
}

void check_empty(const Shape& s, const Rank& rank, std::int64_t b, int h) {
  ASSERT_EQ(read_lse(s, rank, b, h), -kInfinity);
  for (int c = 0; c < s.latent; ++c) {
    const double o = rank.partial_o->value(b, h, c);
    ASSERT_EQ(o, 0);
    ASSERT_FALSE(std::signbit(o));
  }
}

void check_head(const Shape& s, const Rank& rank, std::int64_t b, int h, const Units& u,
                Worst& worst) {
  const std::int64_t width = s.latent + s.rope, n = rank.visibles[b];
  const double* q = &rank.queries[static_cast<std::size_t>((b * s.heads + h) * width)];
  const std::vector<double>& keys = rank.keys[rank.row_requests[b]];
  std::vector<double> p(static_cast<std::size_t>(n));
  double top = -kInfinity, q_norm = 0, k_norm = 0, sum = 0;
  for (std::int64_t c = 0; c < width; ++c) q_norm += q[c] * q[c];
  for (std::int64_t i = 0; i < n; ++i) {
    double dot = 0, norm = 0;
    for (std::int64_t c = 0; c < width; ++c) {
      dot += q[c] * keys[i * width + c];
      norm += keys[i * width + c] * keys[i * width + c];
    }
    p[i] = dot * scale_of(s);
    top = std::max(top, p[i]);
    k_norm = std::max(k_norm, norm);
  }
  for (double& x : p) sum += x = std::exp(x - top);
  const double lse = top + std::log(sum), a = scale_of(s) * std::sqrt(q_norm * k_norm);
  const double theta =
      40 * u.accumulate * a + 3 * 0x1p-24 * (2 * std::abs(top) + std::abs(lse)) + 0x1p-22;
  const auto count = static_cast<double>(n);
  const double lse_bound = 2 * (0x1p-24 * (std::abs(top) + std::abs(lse) + 4 + std::sqrt(count)) +
                                0x1p-22 + 40 * u.accumulate * a);
  worst.lse = std::max(worst.lse, std::abs(read_lse(s, rank, b, h) - lse) / lse_bound);
  ASSERT_LE(std::abs(read_lse(s, rank, b, h) - lse), lse_bound) << "row " << b << " head " << h;
  std::vector<double> o(s.latent), t(s.latent), magnitude(s.latent);
  for (std::int64_t i = 0; i < n; ++i) {
    for (int c = 0; c < s.latent; ++c) {
      const double v = keys[i * width + c];
      o[c] += p[i] / sum * v;
      t[c] += p[i] / sum * std::abs(v);
      magnitude[c] += std::abs(v);
    }
  }
  for (int c = 0; c < s.latent; ++c) {
    const double x = std::abs(o[c]);
    const double bound = 1.01 * (u.p * t[c] + u.tiny / sum * magnitude[c] + theta * (t[c] + x) +
                                 u.accumulate * (count / 16 + count / 32 + 8) * t[c] +
                                 0x1p-24 * (count / 32 + 40) * x) +
                         u.out * x * 1.01 + u.tiny;
    const double error = std::abs(rank.partial_o->value(b, h, c) - o[c]);
    worst.o = std::max(worst.o, error / bound);
    ASSERT_LE(error, bound) << "row " << b << " head " << h << " column " << c;
  }
}

void check_shape(const Shape& s) {
  SCOPED_TRACE(name_of(s));
  std::vector<Rank> ranks;
  for (int r = 0; r < s.ranks; ++r) ranks.push_back(make_rank(s, static_cast<unsigned>(r)));
  const AttendLaunch launch = run(s, ranks);
  Worst worst;
  const Units units = units_of(s, launch.tensor_cores);
  for (const Rank& rank : ranks) {
    for (std::int64_t b = 0; b < rank.step.rows; ++b) {
      for (int h = 0; h < s.heads; ++h) {
        if (rank.visibles[b] == 0)
          check_empty(s, rank, b, h);
        else
          check_head(s, rank, b, h, units, worst);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
  std::printf("  %s: %s, %d splits, o %.3f lse %.4f of the bound\n", name_of(s).c_str(),
              launch.tensor_cores ? "mma" : "simt", launch.splits, worst.o, worst.lse);
}

TEST(Attend, AnyWidths) {
  NEEDS_DEVICE();
  for (const int latent : {1, 7, 16, 64, 512}) {
    for (const int rope : {2, 16, 64}) {
      Shape s;
      s.latent = latent;
      s.rope = rope;
      s.heads = 3;
      s.requests = 3;
      check_shape(s);
    }
  }
}

TEST(Attend, AnyHeads) {
  NEEDS_DEVICE();
  for (const int heads : {1, 3, 16, 20, 48, 128}) {
    for (const int dtype : {HXC_BF16, HXC_FP16, HXC_FP32}) {
      Shape s;
      s.heads = heads;
      s.dtype = s.kv_dtype = dtype;
      s.requests = 3;
      s.max_len = 200;
      check_shape(s);
    }
  }
}

TEST(Attend, WidthsOfTensorCores) {
  NEEDS_DEVICE();
  for (const int latent : {64, 128, 192, 448}) {
    for (const int heads : {5, 32, 64}) {
      Shape s;
      s.latent = latent;
      s.heads = heads;
      s.rope = latent == 128 ? 32 : latent == 448 ? 48 : 0;
      s.dtype = s.kv_dtype = heads == 32 ? HXC_FP16 : HXC_BF16;
      s.requests = 3;
      check_shape(s);
      s.rope = 64;
      s.max_len = 100;  // one split
      check_shape(s);
    }
  }
}

TEST(Attend, FormatsOfTheCache) {
  NEEDS_DEVICE();
  for (const int dtype : {HXC_FP32, HXC_FP16, HXC_BF16}) {
    for (const int kv_dtype : {HXC_FP32, HXC_FP16, HXC_BF16, HXC_FP8_E4M3}) {
      Shape s;
      s.latent = 64;
      s.rope = 16;
      s.heads = 9;
      s.dtype = dtype;
      s.kv_dtype = kv_dtype;
      s.kv_scale = kv_dtype == HXC_FP8_E4M3 ? 0.3 : 1;
      check_shape(s);
    }
  }
}

TEST(Attend, GapsAndPages) {
  NEEDS_DEVICE();
  for (const int page : {1, 3, 16, 64, 256}) {
    for (const int gap : {0, 1, 8}) {
      Shape s;
      s.page = page;
      s.gap = gap;
      s.step = gap == 1 ? 2 : 1;
      s.heads = 17;
      s.requests = 3;
      check_shape(s);
      s.latent = 48;
      check_shape(s);
    }
  }
}

TEST(Attend, ManySplitsOverRanks) {
  NEEDS_DEVICE();
  for (const int form : {HXC_LSE_LN, HXC_LSE_LOG2, HXC_LSE_MAX_SUM}) {
    for (const int heads : {1, 16, 40}) {
      Shape s;
      s.lse_form = form;
      s.heads = heads;
      s.ranks = 3;
      s.max_len = 1500;
      s.max_sizes_len = 8000;
      s.requests = 3;
      check_shape(s);
      s.dtype = HXC_FP32;
      s.latent = 40;
      check_shape(s);
    }
  }
}

// A row's bits depend neither on where its pages lie nor on the rows around it.
TEST(Attend, BitsDoNotDependOnPages) {
  NEEDS_DEVICE();
  for (const int heads : {16, 32, 64}) {
    Shape s;
    s.heads = heads;
    s.max_len = 700;
    std::vector<Rank> first, second;
    first.push_back(make_rank(s, 0));
    run(s, first);
    s.page_seed = 2;
    s.gap = 1;  // copied piece by piece
    second.push_back(make_rank(s, 0));
    run(s, second);
    for (std::int64_t b = 0; b < first[0].step.rows; ++b) {
      for (int h = 0; h < heads; ++h) {
        ASSERT_EQ(read_lse(s, first[0], b, h), read_lse(s, second[0], b, h));
        for (int c = 0; c < s.latent; ++c) {
          ASSERT_EQ(first[0].partial_o->value(b, h, c), second[0].partial_o->value(b, h, c));
        }
      }
    }
  }
}

// NaN in the last key of a request: its last row sees it, the rows before do not.
TEST(Attend, NaNReachesOnlyRowsThatSeeIt) {
  NEEDS_DEVICE();
  for (const int dtype : {HXC_BF16, HXC_FP32}) {
    Shape s;
    s.dtype = s.kv_dtype = dtype;
    s.requests = 3;
    std::vector<Rank> ranks;
    ranks.push_back(make_rank(s, 0));
    Rank& rank = ranks[0];
    const std::int64_t request = 2, key = rank.lengths[request] - 1;
    ASSERT_GT(key, 3);
    const std::int64_t id = rank.table->integer(request, key / s.page);
    store_code(dtype, rank.cache->host.data(), rank.cache->at(id, key % s.page, 0),
               std::numeric_limits<double>::quiet_NaN());
    rank.cache->upload();
    run(s, ranks);
    for (std::int64_t b = 0; b < rank.step.rows; ++b) {
      const bool sees = rank.row_requests[b] == request && rank.visibles[b] > key;
      for (int h = 0; h < s.heads; ++h) {
        EXPECT_EQ(std::isnan(read_lse(s, rank, b, h)), sees) << "row " << b << " head " << h;
        EXPECT_EQ(std::isnan(rank.partial_o->value(b, h, 5)), sees);
      }
    }
  }
}

}  // namespace
}  // namespace helixcheck::cuda
