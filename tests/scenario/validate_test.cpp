// Validation is total: each rule with its sentence, each field of the table just outside its range,
// and thousands of random scenarios.

#include "scenario/validate.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include "random_scenario.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();

using Change = std::function<void(Scenario&)>;

struct Broken {
  Change change;
  std::string message;
};

// The defaults with one change.
std::string error_after(const Change& change) {
  Scenario scenario;
  change(scenario);
  return find_error(scenario).value_or("valid");
}

void expect_refused(const std::vector<Broken>& cases) {
  for (const Broken& broken : cases) EXPECT_EQ(error_after(broken.change), broken.message);
}

TEST(Validate, TakesTheDefaults) {
  EXPECT_EQ(find_error(Scenario{}), std::nullopt);
  EXPECT_NO_THROW(validate(Scenario{}));
}

TEST(Validate, ThrowsTheSentence) {
  Scenario s;
  s.problem.num_heads = 30;
  s.layout.kvp = 4;
  try {
    validate(s);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "problem.num_heads is 30, but it must be divisible by layout.kvp x layout.tpa = 4");
  }
}

// Sets each numeric field of the table just outside and far outside its range, and to NaN.
class RangeProber {
 public:
  explicit RangeProber(Scenario scenario) : base_(std::move(scenario)) {}

  template <typename Block>
  void probe(std::string path, Block Scenario::*block) {
    probe(std::move(path), [block](Scenario& s) -> Block& { return s.*block; });
  }
  template <typename Get>
  void probe(std::string path, Get get) {
    Scenario scenario = base_;
    auto& block = get(scenario);
    visit_fields(
        [&](const Field& field, auto& value) {
          probe_value(scenario, path + "." + std::string(field.name), field, value);
        },
        block);
  }
  int probes() const { return probes_; }

 private:
  template <typename T>
  void probe_value(const Scenario& scenario, const std::string& path, const Field& field,
                   T& value) {
    const T good = value;
    if constexpr (Integer<T> && !std::same_as<T, std::uint64_t>) {
      for (const T bad : {static_cast<T>(field.min) - 1, static_cast<T>(field.max) + 1,
                          std::numeric_limits<T>::max(), std::numeric_limits<T>::min()}) {
        value = bad;
        expect_range(scenario, path);
      }
    } else if constexpr (std::same_as<T, double> || std::same_as<T, std::optional<double>>) {
      for (const double bad :
           {std::nextafter(field.min, -1e300), std::nextafter(field.max, 1e300),
            std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        value = bad;
        expect_range(scenario, path);
      }
    } else if constexpr (Enumeration<T>) {
      value = static_cast<T>(names<T>().size());
      expect_range(scenario, path);
    } else if constexpr (std::same_as<T, std::string>) {
      value = "line\nbreak";
      expect_range(scenario, path);
    } else if constexpr (std::same_as<T, std::vector<std::int64_t>>) {
      for (const std::int64_t bad : {std::int64_t{-1}, static_cast<std::int64_t>(field.max) + 1}) {
        value = {bad};
        expect_range(scenario, path);
        value = {5, bad};
        expect_range(scenario, path + "[1]");
      }
    }
    value = good;
  }
  void expect_range(const Scenario& scenario, const std::string& path) {
    const std::string error = find_error(scenario).value_or("valid");
    EXPECT_EQ(error.find(path + " "), 0u) << path << ": " << error;
    EXPECT_NE(error.find("must be"), std::string::npos) << error;
    ++probes_;
  }

  Scenario base_;
  int probes_ = 0;
};

TEST(Validate, ChecksTheRangeOfEveryField) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.rope_scaling = RopeScaling{};
  s.problem.data.heavy.resize(1);
  ASSERT_EQ(find_error(s), std::nullopt);
  RangeProber prober(s);
  prober.probe("problem", &Scenario::problem);
  prober.probe("layout", &Scenario::layout);
  prober.probe("run", &Scenario::run);
  prober.probe("problem.data", [](Scenario& c) -> Data& { return c.problem.data; });
  prober.probe("problem.rope_scaling",
               [](Scenario& c) -> RopeScaling& { return *c.problem.rope_scaling; });
  prober.probe("problem.data.heavy[0]",
               [](Scenario& c) -> HeavyKey& { return c.problem.data.heavy[0]; });
  EXPECT_GT(prober.probes(), 120);
}

TEST(Validate, SaysRangesPlainly) {
  expect_refused({{[](Scenario& s) { s.problem.hidden_size = 0; },
                   "problem.hidden_size is 0, but it must be between 1 and 65536"},
                  {[](Scenario& s) { s.problem.rope_theta = 0.5; },
                   "problem.rope_theta is 0.5, but it must be between 2 and 1000000000000"},
                  {[](Scenario& s) { s.problem.ctx_len = {}; },
                   "problem.batch is 0, but it must be between 1 and 4096"},
                  {[](Scenario& s) { s.problem.ctx_len.assign(5000, 1); },
                   "problem.batch is 5000, but it must be between 1 and 4096"},
                  {[](Scenario& s) {
                     s.problem.ctx_len = {4, -1};
                   },
                   "problem.ctx_len[1] is -1, but it must be between 0 and 16777216"},
                  {[](Scenario& s) { s.run.max_mismatch_ratio = 1.5; },
                   "run.max_mismatch_ratio is 1.5, but it must be between 0 and 1"},
                  {[](Scenario& s) { s.problem.dtype = static_cast<Dtype>(9); },
                   "problem.dtype must be one of fp32, fp16, bf16, fp8_e4m3"}});
}

TEST(Validate, ChecksTexts) {
  expect_refused({{[](Scenario& s) { s.name = "a\nb"; },
                   "name must be well-formed UTF-8 without control characters"},
                  {[](Scenario& s) { s.name.assign(1025, 'x'); },
                   "name has 1025 bytes, but it must have at most 1024"},
                  {[](Scenario& s) {
                     s.labels = {"slow", ""};
                   },
                   "labels[1] must not be empty"},
                  {[](Scenario& s) { s.labels = {"\xff"}; },
                   "labels[0] must be well-formed UTF-8 without control characters"},
                  {[](Scenario& s) { s.labels.assign(33, "x"); },
                   "labels has 33 entries, but it must have at most 32"}});
}

TEST(Validate, ChecksProblemFieldsAgainstEachOther) {
  expect_refused(
      {{[](Scenario& s) { s.problem.dtype = s.problem.kv_cache_dtype = Dtype::fp8_e4m3; },
        "problem.dtype is fp8_e4m3, but it must be fp32, fp16 or bf16"},
       {[](Scenario& s) { s.problem.dtype = Dtype::fp16; },
        "problem.kv_cache_dtype is bf16, but it must be fp16 as problem.dtype, or fp8_e4m3"},
       {[](Scenario& s) { s.problem.kv_scale = 0.5; },
        "problem.kv_scale is 0.5, but only an fp8_e4m3 cache has a scale; it must be 1"},
       {[](Scenario& s) { s.problem.qk_rope_head_dim = 5; },
        "problem.qk_rope_head_dim is 5, but it must be even"},
       {[](Scenario& s) { s.problem.rope_scaling = RopeScaling{40, 1, 32, 4096, 1, 1}; },
        "problem.rope_scaling.beta_fast is 1, but it must be at least beta_slow = 32"},
       {[](Scenario& s) { s.problem.ctx_len.assign(4096, 16777216); },
        "problem.ctx_len sums to 68719476736, but it must be at most 268435456"}});
  EXPECT_EQ(error_after([](Scenario& s) {
              s.problem.kv_cache_dtype = Dtype::fp8_e4m3;
              s.problem.kv_scale = 0.5;
            }),
            "valid");
}

TEST(Validate, ChecksRanksAndOwnership) {
  expect_refused(
      {{[](Scenario& s) { s.layout.kvp = 3; },
        "problem.num_heads is 32, but it must be divisible by layout.kvp x layout.tpa = 3"},
       {[](Scenario& s) { s.layout.kvp = s.layout.tpa = 8; },
        "problem.num_heads is 32, but it must be divisible by layout.kvp x layout.tpa = 64"},
       {[](Scenario& s) { s.layout.decode_owner = DecodeOwner::continued; },
        "layout.decode_owner is continued, but layout.ownership contiguous defines no "
        "continuation; it must be interleaved"},
       {[](Scenario& s) {
          s.layout.ownership = Ownership::contiguous_blocks;
          s.layout.decode_owner = DecodeOwner::continued;
        },
        "layout.decode_owner is continued, but layout.ownership contiguous_blocks defines no "
        "continuation; it must be interleaved"}});
}

TEST(Validate, ChecksHowFarPageIdsReach) {
  const auto with = [](std::int64_t page_id_base, std::int64_t row_gap) {
    return error_after([&](Scenario& s) {
      s.layout.page_id_base = page_id_base;
      s.layout.row_gap = row_gap;
    });
  };
  EXPECT_EQ(with(59652322 - 34, 0), "valid");  // x 32 x 576 = 2^40
  EXPECT_EQ(with(59652323 - 33, 0),
            "layout.page_id_base is 59652290, but with the 33 pages of the prompts it must stay "
            "below 2^40 elements, at 18432 elements a page");
  EXPECT_EQ(with(2147483647, 1024),
            "layout.page_id_base is 2147483647, but with the 33 pages of the prompts it must stay "
            "below 2^40 elements, at 51200 elements a page");
  EXPECT_EQ(error_after([](Scenario& s) {
              s.layout.page_id_base = 2147483647;
              s.layout.kv_cache_tokens_per_block = 1;
              s.problem.kv_lora_rank = 500;
              s.problem.qk_rope_head_dim = 2;
            }),
            "valid");
}

void to_merge(Scenario& s) {
  s.problem.entry = Entry::merge;
}

TEST(Validate, ChecksMerge) {
  expect_refused({{[](Scenario& s) {
                     to_merge(s);
                     s.layout.kvp = 1;
                   },
                   "layout.kvp is 1, but at entry merge it is the number of partials, at least 2"},
                  {[](Scenario& s) {
                     to_merge(s);
                     s.layout.tpa = 2;
                   },
                   "layout.tpa is 2, but it must be 1 at entry merge"},
                  {[](Scenario& s) {
                     to_merge(s);
                     s.script.resize(1);
                   },
                   "script must be empty at entry merge"},
                  {[](Scenario& s) {
                     to_merge(s);
                     s.problem.decode_steps = 2;
                   },
                   "problem.decode_steps is 2, but it must be 1 at entry merge"}});
  EXPECT_EQ(error_after([](Scenario& s) {
              to_merge(s);
              s.layout.kvp = 63;  // divides nothing, and need not
              s.problem.data.family = Family::constant;
            }),
            "valid");
}

void to_core(Scenario& s, Family family = Family::uniform) {
  s.problem.entry = Entry::core;
  s.problem.data.family = family;
}

TEST(Validate, ChecksFamilies) {
  for (const auto& entry : names<Family>()) {
    const Family family = entry.first;
    EXPECT_EQ(error_after([&](Scenario& s) { to_core(s, family); }), "valid");
    if (family == Family::uniform) continue;
    EXPECT_EQ(error_after([&](Scenario& s) { s.problem.data.family = family; }),
              "problem.data.family is " + std::string(entry.second) +
                  ", but entry layer takes uniform only");
  }
  expect_refused({{[](Scenario& s) {
                     to_merge(s);
                     s.problem.data.family = Family::integers;
                   },
                   "problem.data.family is integers, but entry merge takes uniform and constant "
                   "only"},
                  {[](Scenario& s) {
                     to_core(s);
                     s.problem.data.tensors = "x";
                   },
                   "problem.data.tensors is set, but entry core takes none; it must be empty"}});
}

TEST(Validate, ChecksGains) {
  const auto with = [](Family family, const Change& change) {
    return error_after([&](Scenario& s) {
      to_core(s, family);
      change(s);
    });
  };
  const auto gain = [](Scenario& s) { s.problem.data.k_pe_gain = 64; };
  const auto gap = [](Scenario& s) { s.problem.data.lse_gap = -100; };
  const auto equal = [](Scenario& s) { s.problem.data.equal_requests = true; };
  for (const Family family : {Family::uniform, Family::constant, Family::shard_constant}) {
    for (const Change& change : {Change(gain), Change(gap), Change(equal)}) {
      EXPECT_EQ(with(family, change), "valid");
    }
  }
  EXPECT_EQ(error_after(gain), "valid");
  EXPECT_EQ(with(Family::integers, equal), "valid");
  EXPECT_EQ(with(Family::null_test, gain),
            "problem.data.k_pe_gain is 64, but it must be 1 unless entry is layer or core and "
            "values are drawn from no exact class");
  EXPECT_EQ(error_after(gap),
            "problem.data.lse_gap is -100, but it must be 0 unless entry is core, values are drawn "
            "from no exact class and no key is heavy");
  EXPECT_EQ(with(Family::one_hot, equal),
            "problem.data.equal_requests is true, but it must be false unless values are drawn, "
            "family is neither one_hot nor null_test and no key is heavy");
}

TEST(Validate, ChecksHeavyKeys) {
  const auto with = [](std::vector<HeavyKey> keys, Family family = Family::uniform) {
    return error_after([&](Scenario& s) {
      to_core(s, family);
      s.problem.data.heavy = std::move(keys);
    });
  };
  EXPECT_EQ(with({{HeavyPlace::newest, 31, 1, 0.5}, {HeavyPlace::newest, 0, 0, 0.999}}), "valid");
  EXPECT_EQ(with({{HeavyPlace::newest, 32, 0, 0.5}}),
            "problem.data.heavy[0].head is 32, but it must be below problem.num_heads = 32");
  EXPECT_EQ(with({{HeavyPlace::newest, 0, 2, 0.5}}),
            "problem.data.heavy[0].kvp_rank is 2, but it must be below layout.kvp = 2");
  EXPECT_EQ(with({{HeavyPlace::newest, 0, 0, 0.0}}),
            "problem.data.heavy[0].mass is 0, but it must be above 0 and below 1");
  EXPECT_EQ(with({{HeavyPlace::newest, 0, 0, 1.0}}),
            "problem.data.heavy[0].mass is 1, but it must be above 0 and below 1");
  EXPECT_EQ(with({{HeavyPlace::newest, 3, 0, 0.5}, {HeavyPlace::key_zero, 3, 0, 0.1}}),
            "problem.data.heavy[1].head is 3, but each head takes one heavy key only");
  EXPECT_EQ(with({{}}, Family::one_hot),
            "problem.data.heavy lists 1 keys, but it must be empty unless entry is core and family "
            "is uniform");
  EXPECT_EQ(error_after([](Scenario& s) { s.problem.data.heavy.resize(1); }),
            "problem.data.heavy lists 1 keys, but it must be empty unless entry is core and family "
            "is uniform");
}

// Whatever the values, a verdict comes, and extreme integers overflow nothing (run under UBSan).
TEST(Validate, IsTotal) {
  ScenarioDrawer drawer(11);
  std::mt19937_64 engine(12);
  int valid = 0;
  for (int i = 0; i < 2000; ++i) {
    Scenario s = drawer.draw();
    s.name.clear();
    s.labels.clear();
    if (engine() % 2 == 0) s.problem.data = Data{};
    if (engine() % 4 != 0) s.layout = Layout{};
    if (engine() % 4 != 0) s.run = helixcheck::Run{};
    if (engine() % 4 != 0) s.script.clear();
    if (engine() % 2 == 0) {
      s.problem = Problem{};
    } else {
      s.problem.num_heads = 64;
    }
    visit_fields(
        [&engine](const Field&, auto& value) {
          if constexpr (std::same_as<std::remove_reference_t<decltype(value)>, std::int64_t>) {
            if (engine() % 64 == 0) value = engine() % 2 == 0 ? kMost : kLeast;
          }
        },
        s.problem);
    const auto error = find_error(s);
    if (error) {
      EXPECT_FALSE(error->empty());
      EXPECT_EQ(error->find('\n'), std::string::npos);
    } else {
      EXPECT_GT(memory_need_bytes(s), 0);
      EXPECT_EQ(expand_script(s).empty(), s.problem.entry == Entry::merge);
      ++valid;
    }
  }
  EXPECT_GT(valid, 300);
}

}  // namespace
}  // namespace helixcheck
