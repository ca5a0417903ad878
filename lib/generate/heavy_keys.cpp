// A planted row is the drawn key plus the multiple of its head's query that gives the wanted score.
// Storing it in a narrow format can cost more than a nat at large gains, so some coordinates are
// kept free: set last, they take up what the others miss, each with the relative precision of the
// format.

#include "generate/heavy_keys.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "generate/draw.hpp"
#include "mla/formats.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {

// One key on its way to its row.
struct HeavyKeys::Plant {
  HeavyToken token;
  double mass = 0;
  Voice voice;
  bool hopeless = false;          // no loudness tried gives the score
  double crowd = 0;               // LSE of the keys that are not planted
  std::vector<double> query;      // as stored
  std::vector<double> direction;  // added to the row to move its score
  bool drawn = true;              // the row has a drawn part
  std::vector<std::size_t> free;  // coordinates that are set last
  std::vector<double> row;        // as stored
};

namespace {

constexpr std::int64_t kSampledKeys = 1 << 16;  // keys that stand for those of a longer request
constexpr int kRounds = 16;          // keys of one request see each other; a few rounds settle them
constexpr int kDraws = 4;            // of the queries of a request
constexpr double kClose = 1.0 / 16;  // nats
constexpr int kClimbs = 8;           // corrections of the multiple of the query
constexpr int kLoudnessSteps = 12;   // powers of two tried for a query, each way
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Up to three coordinates that are set last, of middling weight in the query.
std::vector<std::size_t> free_coordinates(std::span<const double> query) {
  std::vector<std::size_t> order(query.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(query[a]) > std::abs(query[b]);
  });
  const auto middle = order.begin() + std::ssize(order) / 2;
  return {middle, middle + std::min<std::ptrdiff_t>(3, order.end() - middle)};
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// log(sum of exp), with what is added one after the other.
class LogSum {
 public:
  void add(double score) {
    if (score > top_) {
      sum_ = sum_ * std::exp(top_ - score) + 1;
      top_ = score;
    } else {
      sum_ += std::exp(score - top_);
    }
  }
  double value() const { return sum_ > 0 ? top_ + std::log(sum_) : top_; }

 private:
  double top_ = -kInfinity, sum_ = 0;
};

// -1 where the place does not exist, as the first key of an empty shard.
std::int64_t place_index(const Layout& layout, const HeavyKey& key, std::int64_t prompt_len) {
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const auto owned = [&](std::int64_t local) {
    return nth_owned_prompt(layout, key.kvp_rank, local, prompt_len);
  };
  const std::int64_t last = owned_count(layout, key.kvp_rank, prompt_len, prompt_len) - 1;
  switch (key.place) {
    case HeavyPlace::key_zero: return 0;
    case HeavyPlace::newest: return prompt_len;
    case HeavyPlace::shard_first: return owned(0);
    case HeavyPlace::shard_last: return owned(last);
    case HeavyPlace::page_first: return owned(last >= page ? page : 0);
    case HeavyPlace::page_last: return owned(std::min(page - 1, last));
  }
  return -1;
}

}  // namespace

std::int64_t heavy_keys_with_room(const Problem& problem) {
  constexpr double kSaturating = 30;
  if (problem.data.logit_gain >= kSaturating) return 1;
  return std::max<std::int64_t>(1, (problem.kv_lora_rank + problem.qk_rope_head_dim) / 4);
}

std::vector<HeavyToken> heavy_tokens(const Scenario& scenario) {
  const std::vector<std::int64_t>& lengths = scenario.problem.ctx_len;
  const std::vector<HeavyKey>& heavy = scenario.problem.data.heavy;
  std::vector<HeavyToken> tokens;
  for (std::size_t request = 0; request < lengths.size(); ++request) {
    std::vector<std::int64_t> taken;
    for (std::size_t key = 0; key < heavy.size(); ++key) {
      const std::int64_t index = place_index(scenario.layout, heavy[key], lengths[request]);
      if (index < 0 || std::find(taken.begin(), taken.end(), index) != taken.end()) continue;
      taken.push_back(index);
      tokens.push_back({static_cast<std::int64_t>(request), key, index});
    }
  }
  return tokens;
}

HeavyKeys::HeavyKeys(const Scenario& scenario, const RopeTable& rope, double query_bound)
    : scenario_(scenario),
      softmax_scale_(rope.softmax_scale),
      query_bound_(query_bound),
      width_(scenario.problem.kv_lora_rank + scenario.problem.qk_rope_head_dim),
      largest_(store(traits(scenario.problem.dtype).max_finite)) {
  const std::vector<HeavyToken> tokens = heavy_tokens(scenario);
  for (auto begin = tokens.begin(); begin != tokens.end();) {
    const auto end = std::find_if(begin, tokens.end(), [&](const HeavyToken& token) {
      return token.request != begin->request;
    });
    plant_request({begin, end});
    begin = end;
  }
}

const std::vector<double>* HeavyKeys::row(std::int64_t request, std::int64_t index) const {
  const auto found = rows_.find({request, index});
  return found == rows_.end() ? nullptr : &found->second;
}

bool HeavyKeys::sees_one(std::int64_t head) const {
  const std::vector<HeavyKey>& heavy = scenario_.problem.data.heavy;
  return std::any_of(heavy.begin(), heavy.end(),
                     [&](const HeavyKey& key) { return key.head == head; });
}

void HeavyKeys::query(std::int64_t request, std::int64_t head, std::span<double> out) const {
  const auto found = voices_.find({request, head});
  draw_query(request, head, found == voices_.end() ? Voice{} : found->second, out);
}

void HeavyKeys::draw_query(std::int64_t request, std::int64_t head, const Voice& voice,
                           std::span<double> out) const {
  const std::int64_t lane = head + voice.draw * scenario_.problem.num_heads;
  draw_uniform({scenario_.problem.data.seed, TensorId::planted_query, request, lane}, 0,
               query_bound_ * voice.loudness, out);
}

// The value that attention sees: in the cache's format, back in the dtype.
double HeavyKeys::store(double value) const {
  const Problem& p = scenario_.problem;
  const double kept = round_to(p.kv_cache_dtype, round_to(p.dtype, value) / p.kv_scale);
  return kept * p.kv_scale;
}

void HeavyKeys::store_all(std::span<double> row) const {
  const Problem& p = scenario_.problem;
  if (p.kv_cache_dtype == p.dtype) {
    std::vector<std::byte> codes(row.size() * size_of(p.dtype));
    encode_from(p.dtype, std::span<const double>(row), codes.data());
    return decode_to(p.dtype, codes.data(), row);
  }
  for (double& value : row) value = store(value);
}

HeavyKeys::Plant HeavyKeys::make_plant(const HeavyToken& token, const Voice& voice) const {
  const Problem& p = scenario_.problem;
  const HeavyKey& key = p.data.heavy[token.key];
  Plant plant;
  plant.token = token;
  plant.mass = key.mass;
  plant.voice = voice;
  plant.query.resize(static_cast<std::size_t>(width_));
  draw_query(token.request, key.head, voice, plant.query);
  for (double& value : plant.query) value = round_to(p.dtype, value);
  plant.direction = plant.query;
  plant.free = free_coordinates(plant.query);
  plant.row.resize(plant.query.size());
  draw_key(p, {token.request, token.index}, plant.row);
  store_all(plant.row);
  plant.crowd = crowd_lse(plant);
  return plant;
}

// LSE of what the first decode row sees besides planted keys: the prompt and its own token. Of very
// long requests evenly spaced keys are taken for all.
double HeavyKeys::crowd_lse(const Plant& plant) const {
  const std::int64_t request = plant.token.request;
  const std::int64_t length = scenario_.problem.ctx_len[static_cast<std::size_t>(request)] + 1;
  const std::int64_t sampled = std::min(length, kSampledKeys);
  std::vector<double> row(static_cast<std::size_t>(width_));
  LogSum sum;
  for (std::int64_t i = 0; i < sampled; ++i) {
    const std::int64_t index = i * length / sampled;
    if (rows_.count({request, index}) != 0) continue;
    draw_key(scenario_.problem, {request, index}, row);
    store_all(row);
    sum.add(softmax_scale_ * dot(plant.query, row));
  }
  return sum.value() + std::log(static_cast<double>(length) / static_cast<double>(sampled));
}

// LSE of all that competes with a planted key; -inf if nothing does.
double HeavyKeys::rest_lse(const Plant& plant, std::span<const Plant> all) const {
  LogSum rest;
  if (plant.crowd > -kInfinity) rest.add(plant.crowd);
  for (const Plant& other : all) {
    if (other.token.index == plant.token.index) continue;
    rest.add(softmax_scale_ * dot(plant.query, other.row));
  }
  return rest.value();
}

// Moves the row to the score that gives its share, beside the others as they are. The target is
// rounded to 1/64, so that the last bits of a mathematical library do not reach the case. False if
// the formats hold no such row for this query.
bool HeavyKeys::settle(Plant& plant, std::span<const Plant> all) const {
  const double rest = rest_lse(plant, all);
  if (rest == -kInfinity) return true;  // it is alone
  const double target = std::round((rest + std::log(plant.mass / (1 - plant.mass))) * 64) / 64;
  const double wanted = target / softmax_scale_;  // of q . k
  const auto is_near = [&](double nats) {         // false for NaN, where a query overflows
    return std::abs(wanted - dot(plant.query, plant.row)) * softmax_scale_ <= nats;
  };
  if (is_near(kClose)) return true;
  climb(plant, wanted);
  polish(plant, wanted);
  return is_near(4 * kClose);
}

// Adds the multiple of the query that gives q . k = wanted. Elements at the end of their format
// take part no longer; the others make up for them.
void HeavyKeys::climb(Plant& plant, double wanted) const {
  std::vector<double> drawn(plant.row.size()), direction = plant.direction;
  if (plant.drawn) draw_key(scenario_.problem, {plant.token.request, plant.token.index}, drawn);
  for (const std::size_t i : plant.free) drawn[i] = direction[i] = 0;
  double step = 0, slope = 1;
  for (int pass = 0; pass < kClimbs && slope > 0; ++pass) {
    slope = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      const double x = drawn[i] + step * direction[i];
      plant.row[i] = store(x);
      if (std::abs(x) <= largest_) slope += plant.query[i] * direction[i];
    }
    const double missing = wanted - dot(plant.query, plant.row);
    if (std::abs(missing) * softmax_scale_ <= kClose) return;
    step += missing / slope;
  }
}

// Each element takes up what is missing, as well as its format can: at last those that were kept at
// zero, where formats are finest.
void HeavyKeys::polish(Plant& plant, double wanted) const {
  double missing = wanted - dot(plant.query, plant.row);
  const auto take_up = [&](std::size_t i) {
    const double q = plant.query[i];
    const double value = store(plant.row[i] + missing / q);
    const double left = missing - q * (value - plant.row[i]);
    if (!(std::abs(left) < std::abs(missing))) return;
    plant.row[i] = value;
    missing = left;
  };
  for (std::size_t i = 0; i < plant.row.size(); ++i) {
    const bool is_free = std::find(plant.free.begin(), plant.free.end(), i) != plant.free.end();
    if (!is_free) take_up(i);
  }
  for (const std::size_t i : plant.free) take_up(i);
}

// A head whose gain leaves no row with the wanted score, because formats end or are too coarse,
// asks louder or more softly. If that does not help either, the key stays as it is drawn.
void HeavyKeys::try_loudness(Plant& plant, std::span<const Plant> all) const {
  const Voice start = plant.voice;
  for (int step = 1; step <= kLoudnessSteps; ++step) {
    for (const int exponent : {step, -step}) {
      plant = make_plant(plant.token, {std::ldexp(start.loudness, exponent), start.draw});
      if (settle(plant, all)) return;
    }
  }
  plant = make_plant(plant.token, start);
  plant.hopeless = true;
}

// Where keys keep pushing each other: each row becomes a multiple of what its query has apart from
// the queries of the others, so that only its own head sees it move.
void HeavyKeys::part_ways(std::span<Plant> plants) const {
  for (Plant& plant : plants) {
    std::vector<std::vector<double>> base;  // orthogonal, of the other queries
    const auto remove_base = [&](std::vector<double> x) {
      for (const std::vector<double>& b : base) {
        const double share = dot(x, b) / dot(b, b);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] -= share * b[i];
      }
      return x;
    };
    for (const Plant& other : plants) {
      if (&other == &plant) continue;
      std::vector<double> rest = remove_base(other.query);
      if (dot(rest, rest) > 1e-6 * dot(other.query, other.query)) base.push_back(std::move(rest));
    }
    std::vector<double> own = remove_base(plant.query);
    if (dot(own, own) < 1e-3 * dot(plant.query, plant.query)) continue;
    plant.direction = std::move(own);
    plant.drawn = false;
  }
}

// All keys of one request, each beside the others as they are, until none moves. Queries too much
// alike to be told apart are drawn again.
void HeavyKeys::plant_request(std::span<const HeavyToken> tokens) {
  for (const HeavyToken& token : tokens) rows_[{token.request, token.index}] = {};
  std::vector<Plant> plants;
  for (int draw = 0; draw < kDraws; ++draw) {
    plants.clear();
    for (const HeavyToken& token : tokens) plants.push_back(make_plant(token, {1, draw}));
    if (settle_all(plants)) break;
  }
  for (Plant& plant : plants) {
    const HeavyKey& key = scenario_.problem.data.heavy[plant.token.key];
    voices_[{plant.token.request, key.head}] = plant.voice;
    rows_[{plant.token.request, plant.token.index}] = std::move(plant.row);
  }
}

// In turns; false if they never come to rest, or at wrong scores.
bool HeavyKeys::settle_all(std::span<Plant> plants) const {
  for (int round = 0; round < kRounds; ++round) {
    bool moved = false;
    if (round == kRounds / 2) part_ways(plants);
    for (Plant& plant : plants) {
      const std::vector<double> before = plant.row;
      if (plant.hopeless) continue;
      if (!settle(plant, plants)) try_loudness(plant, plants);
      moved = moved || plant.row != before;
    }
    if (moved) continue;
    return std::none_of(plants.begin(), plants.end(), [](const Plant& p) { return p.hopeless; });
  }
  return false;
}

}  // namespace helixcheck
