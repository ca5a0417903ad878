// Rules between fields. check_fields comes first, so that no product here can overflow.

#include "scenario/validate.hpp"

#include <array>
#include <fmt/format.h>
#include <numeric>

#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/rules.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kMaxPromptTokens = std::int64_t{1} << 28;  // of all requests together

Broken check_dtypes(const Problem& p) {
  if (p.dtype == Dtype::fp8_e4m3) {
    return "problem.dtype is fp8_e4m3, but it must be fp32, fp16 or bf16";
  }
  const bool fp8_cache = p.kv_cache_dtype == Dtype::fp8_e4m3;
  if (!fp8_cache && p.kv_cache_dtype != p.dtype) {
    return fmt::format(
        "problem.kv_cache_dtype is {}, but it must be {} as problem.dtype, or fp8_e4m3",
        name_of(p.kv_cache_dtype), name_of(p.dtype));
  }
  if (!fp8_cache && p.kv_scale != 1.0) {
    return fmt::format(
        "problem.kv_scale is {}, but only an fp8_e4m3 cache has a scale; it must be 1", p.kv_scale);
  }
  return std::nullopt;
}

Broken check_rope(const Problem& p) {
  if (p.qk_rope_head_dim % 2 != 0) {
    return fmt::format("problem.qk_rope_head_dim is {}, but it must be even", p.qk_rope_head_dim);
  }
  if (p.rope_scaling && p.rope_scaling->beta_fast < p.rope_scaling->beta_slow) {
    return fmt::format(
        "problem.rope_scaling.beta_fast is {}, but it must be at least beta_slow = {}",
        p.rope_scaling->beta_fast, p.rope_scaling->beta_slow);
  }
  return std::nullopt;
}

Broken check_merge(const Scenario& scenario) {
  const Layout& layout = scenario.layout;
  if (layout.kvp < 2) {
    return fmt::format(
        "layout.kvp is {}, but at entry merge it is the number of partials, at least 2",
        layout.kvp);
  }
  if (layout.tpa != 1) {
    return fmt::format("layout.tpa is {}, but it must be 1 at entry merge", layout.tpa);
  }
  return std::nullopt;
}

Broken check_heavy(const Scenario& scenario) {
  const std::vector<HeavyKey>& heavy = scenario.problem.data.heavy;
  std::vector<bool> taken(static_cast<std::size_t>(scenario.problem.num_heads));
  for (std::size_t i = 0; i < heavy.size(); ++i) {
    const HeavyKey& key = heavy[i];
    const std::string path = fmt::format("problem.data.heavy[{}]", i);
    if (key.head >= scenario.problem.num_heads) {
      return fmt::format("{}.head is {}, but it must be below problem.num_heads = {}", path,
                         key.head, scenario.problem.num_heads);
    }
    if (key.kvp_rank >= scenario.layout.kvp) {
      return fmt::format("{}.kvp_rank is {}, but it must be below layout.kvp = {}", path,
                         key.kvp_rank, scenario.layout.kvp);
    }
    if (key.mass <= 0 || key.mass >= 1) {
      return fmt::format("{}.mass is {}, but it must be above 0 and below 1", path, key.mass);
    }
    if (taken[static_cast<std::size_t>(key.head)]) {
      return fmt::format("{}.head is {}, but each head takes one heavy key only", path, key.head);
    }
    taken[static_cast<std::size_t>(key.head)] = true;
  }
  return std::nullopt;
}

// Knobs of drawn values have no meaning where values are given or exact by construction.
Broken check_gains(const Scenario& scenario) {
  const Data& data = scenario.problem.data;
  const Entry entry = scenario.problem.entry;
  const bool smooth = data.family == Family::uniform || data.family == Family::constant ||
                      data.family == Family::shard_constant;
  const auto complain = [](std::string_view field, auto value, auto standard,
                           std::string_view where) {
    return fmt::format("problem.data.{} is {}, but it must be {} unless {}", field, value, standard,
                       where);
  };
  if (data.k_pe_gain != 1 && (!smooth || entry == Entry::merge || !data.tensors.empty())) {
    return complain("k_pe_gain", data.k_pe_gain, 1,
                    "entry is layer or core and values are drawn from no exact class");
  }
  if (data.lse_gap != 0 && (!smooth || entry != Entry::core || !data.heavy.empty())) {
    return complain("lse_gap", data.lse_gap, 0,
                    "entry is core, values are drawn from no exact class and no key is heavy");
  }
  const bool by_request = data.family == Family::one_hot || data.family == Family::null_test;
  if (data.equal_requests && (by_request || !data.heavy.empty() || !data.tensors.empty())) {
    return complain(
        "equal_requests", true, false,
        "values are drawn, family is neither one_hot nor null_test and no key is heavy");
  }
  return std::nullopt;
}

// Page ids count from page_id_base, so the pool lies that many pages after offset 0.
Broken check_page_ids(const Scenario& scenario) {
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
  const Problem& p = scenario.problem;
  const Layout& layout = scenario.layout;
  if (layout.page_id_base == 0) return std::nullopt;
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const std::int64_t stride = page_elements(scenario);
  std::int64_t pages = layout.spare_pages;
  for (const std::int64_t length : p.ctx_len) pages += (length + page - 1) / page;
  if (layout.page_id_base + pages < kMaxElements / stride) return std::nullopt;
  return fmt::format(
      "layout.page_id_base is {}, but with the {} pages of the prompts it must stay below 2^40 "
      "elements, at {} elements a page",
      layout.page_id_base, pages, stride);
}

}  // namespace

Broken check_problem(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  if (const Broken broken = check_dtypes(p)) return broken;
  if (const Broken broken = check_rope(p)) return broken;
  const std::int64_t total = std::accumulate(p.ctx_len.begin(), p.ctx_len.end(), std::int64_t{0});
  if (total > kMaxPromptTokens) {
    return fmt::format("problem.ctx_len sums to {}, but it must be at most {}", total,
                       kMaxPromptTokens);
  }
  return std::nullopt;
}

Broken check_layout(const Scenario& scenario) {
  const Layout& layout = scenario.layout;
  if (scenario.problem.entry == Entry::merge) return check_merge(scenario);
  if (scenario.problem.num_heads % layout.ranks() != 0) {
    return fmt::format(
        "problem.num_heads is {}, but it must be divisible by layout.kvp x layout.tpa = {}",
        scenario.problem.num_heads, layout.ranks());
  }
  if (layout.decode_owner == DecodeOwner::continued && layout.ownership != Ownership::interleaved) {
    return fmt::format(
        "layout.decode_owner is continued, but layout.ownership {} defines no continuation; it "
        "must "
        "be interleaved",
        name_of(layout.ownership));
  }
  return check_page_ids(scenario);
}

Broken check_data(const Scenario& scenario) {
  const Data& data = scenario.problem.data;
  const Entry entry = scenario.problem.entry;
  const bool at_merge = entry == Entry::merge && data.family == Family::constant;
  if (data.family != Family::uniform && entry != Entry::core && !at_merge) {
    return fmt::format("problem.data.family is {}, but entry {} takes {}", name_of(data.family),
                       name_of(entry),
                       entry == Entry::merge ? "uniform and constant only" : "uniform only");
  }
  if (!data.heavy.empty() && (entry != Entry::core || data.family != Family::uniform)) {
    return fmt::format(
        "problem.data.heavy lists {} keys, but it must be empty unless entry is core and family is "
        "uniform",
        data.heavy.size());
  }
  if (const Broken broken = check_gains(scenario)) return broken;
  if (!data.tensors.empty() && entry != Entry::layer) {
    return fmt::format("problem.data.tensors is set, but entry {} takes none; it must be empty",
                       name_of(entry));
  }
  return check_heavy(scenario);
}

std::optional<std::string> find_error(const Scenario& scenario) {
  constexpr std::array kGroups{check_fields, check_problem, check_layout, check_data, check_script};
  for (const auto& check : kGroups) {
    if (const Broken broken = check(scenario)) return broken;
  }
  return std::nullopt;
}

void validate(const Scenario& scenario) {
  if (const auto rule = find_error(scenario)) throw InputError(*rule);
}

}  // namespace helixcheck
