#include "shrink/explain.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <set>

#include "scenario/validate.hpp"
#include "shrink/hypotheses.hpp"
#include "shrink/lowering.hpp"

namespace helixcheck {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLow = 16;    // small values that are all tried
constexpr std::int64_t kNear = 16;   // neighbours on either side that are all tried
constexpr std::int64_t kMost = 128;  // values are tried up to twice the own one, or this
constexpr std::int64_t kBatches = 8;
constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // only seeds are larger

class Explainer {
 public:
  Explainer(const Scenario& minimal, const Signature& signature, const FailingWith& fails_with,
            const ShrinkLimits& limits)
      : minimal_(minimal), signature_(signature), fails_with_(fails_with), limits_(limits) {}

  Explanation explain_all() {
    explain_batch();
    Scenario copy = minimal_;
    const std::vector<Cell> all = cells(copy);
    for (const bool simplest : {false, true}) {  // so that a cap cuts what matters least
      for (std::size_t i = 0; i < all.size() && !stopped(); ++i) {
        if ((all[i].rank() == 0) == simplest) explain_cell(all[i], i);
      }
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [](const Ranked& a, const Ranked& b) { return a.importance < b.importance; });
    for (Ranked& ranked : order_) result_.fields.push_back(std::move(ranked.field));
    return std::move(result_);
  }

 private:
  struct Ranked {
    FieldExplanation field;
    int importance = 0;
  };

  bool stopped() const { return !result_.stopped_by.empty(); }

  // A trial if the candidate is valid and the limits allow it.
  void add(std::vector<Trial>& trials, double value, std::string text, const Scenario& candidate) {
    if (stopped() || find_error(candidate)) return;
    const std::chrono::duration<double> spent = Clock::now() - start_;
    if (result_.evaluations == limits_.evaluations) result_.stopped_by = "evaluations";
    if (spent.count() >= limits_.seconds) result_.stopped_by = "seconds";
    if (limits_.interrupted && limits_.interrupted()) result_.stopped_by = "interrupt";
    if (stopped()) return;
    ++result_.evaluations;
    trials.push_back({value, std::move(text), fails_with_(candidate) == signature_});
  }

  void conclude(std::string path, std::vector<Trial> trials, bool ordered, bool integers,
                bool simplest) {
    if (stopped() || trials.size() < 2) return;
    FieldExplanation field;
    field.path = std::move(path);
    field.tried = static_cast<int>(trials.size());
    field.failed = static_cast<int>(
        std::count_if(trials.begin(), trials.end(), [](const Trial& t) { return t.fails; }));
    field.matters = field.failed < field.tried;
    field.text = describe(std::move(trials), ordered, integers);
    order_.push_back({std::move(field), order_rank(field.matters, simplest)});
  }
  static int order_rank(bool matters, bool simplest) { return (matters ? 0 : 2) + simplest; }

  void explain_batch() {
    std::vector<Trial> trials;
    const std::int64_t own = minimal_.problem.batch();
    std::set<std::int64_t> batches{own - 2, own - 1, own, own + 1, own + 2};
    for (std::int64_t batch = 1; batch <= kBatches; ++batch) batches.insert(batch);
    for (const std::int64_t batch : batches) {
      if (batch < 1) continue;
      Scenario candidate = minimal_;
      candidate.problem.ctx_len.resize(static_cast<std::size_t>(batch),
                                       minimal_.problem.ctx_len.back());
      if (batch == own) {
        trials.push_back({static_cast<double>(batch), std::to_string(batch), true});
      } else {
        add(trials, static_cast<double>(batch), std::to_string(batch), candidate);
      }
    }
    conclude("problem.batch", std::move(trials), true, true, own == 1);
  }

  void explain_cell(const Cell& cell, std::size_t index) {
    std::vector<Trial> trials;
    if (cell.kind == CellKind::real) {
      trials = vary_real(cell, index);
    } else {
      trials.push_back({static_cast<double>(cell.value()), cell.text(), true});
      for (const std::int64_t value : values_of(cell)) vary_to(cell, index, value, trials);
    }
    // An absent value and a seed are compared with nothing.
    const bool ordered = cell.kind != CellKind::choice && cell.text() != "none" && !cell.is("seed");
    conclude(path_of(cell), std::move(trials), ordered, cell.kind == CellKind::number,
             cell.rank() == 0);
  }

  // One prompt needs no index.
  std::string path_of(const Cell& cell) const {
    return cell.is("ctx_len") && minimal_.problem.batch() == 1 ? "problem.ctx_len" : cell.path();
  }

  void vary_to(const Cell& cell, std::size_t index, std::int64_t value,
               std::vector<Trial>& trials) {
    if (value == cell.value()) return;
    const std::uint64_t rank = cell.rank_of(value);
    std::optional<Scenario> candidate = with_rank(minimal_, index, rank);
    if (!candidate) return;
    if (find_error(*candidate)) take_along(cell, *candidate);
    const std::string text = cells(*candidate)[index].text();
    add(trials, static_cast<double>(value), text, *candidate);
  }

  // What cannot vary alone: heads follow the ranks, a plain cache follows the dtype.
  void take_along(const Cell& cell, Scenario& candidate) const {
    const Problem& own = minimal_.problem;
    const bool is_ranks = cell.is("kvp") || cell.is("tpa");
    if (is_ranks && own.entry != Entry::merge && candidate.layout.ranks() > 0) {
      candidate.problem.num_heads =
          own.num_heads / minimal_.layout.ranks() * candidate.layout.ranks();
    }
    if (cell.is("dtype") && own.kv_cache_dtype == own.dtype) {
      candidate.problem.kv_cache_dtype = candidate.problem.dtype;
    }
  }

  std::set<std::int64_t> values_of(const Cell& cell) const {
    std::set<std::int64_t> values;
    if (cell.kind == CellKind::choice) {
      for (std::uint64_t i = 0; i < cell.values; ++i) values.insert(static_cast<std::int64_t>(i));
      return values;
    }
    const std::int64_t own = std::clamp<std::int64_t>(cell.value(), 0, kLargest);
    for (std::int64_t value = 0; value <= kLow; ++value) values.insert(value);
    for (std::int64_t by = -kNear; by <= kNear; ++by) values.insert(own + by);
    const std::int64_t page = minimal_.layout.kv_cache_tokens_per_block;
    for (const std::int64_t unit : {page, minimal_.layout.kvp, page * minimal_.layout.kvp}) {
      for (std::int64_t value = unit; value <= 4 * unit; value += unit) {
        values.insert({value - 1, value, value + 1});
      }
    }
    const std::int64_t most = std::max(2 * own, kMost);
    for (std::int64_t power = 1; power <= most; power *= 2) {
      values.insert({power - 1, power, power + 1});
    }
    values.insert({own / 2, 2 * own - 1, 2 * own});
    values.erase(values.upper_bound(most), values.end());
    values.erase(values.begin(), values.lower_bound(0));
    return values;
  }

  std::vector<Trial> vary_real(const Cell& cell, std::size_t index) {
    std::vector<Trial> trials;
    const bool absent = cell.text() == "none";
    const double own = absent ? 1.0 : cell.real();
    if (!absent) trials.push_back({own, cell.text(), true});
    for (const double value :
         {own / 1024, own / 16, own / 2, own * 2, own * 16, own * 1024, 0.0, 0.5, 1.0, -own}) {
      const bool known = std::any_of(trials.begin(), trials.end(),
                                     [value](const Trial& t) { return t.value == value; });
      if (known) continue;
      Scenario candidate = minimal_;
      const std::vector<Cell> all = cells(candidate);
      all[index].set_real(value);
      const std::string text = all[index].text();
      add(trials, value, text, candidate);
    }
    if (absent) trials.push_back({-1e300, "none", true});
    return trials;
  }

  const Scenario& minimal_;
  const Signature& signature_;
  const FailingWith& fails_with_;
  const ShrinkLimits& limits_;
  Explanation result_;
  std::vector<Ranked> order_;
  Clock::time_point start_ = Clock::now();
};

std::string short_path(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

// Fields whose not mattering is worth a word.
bool always_said(const std::string& path) {
  return path == "problem.batch" || path == "layout.kvp" || path == "problem.ctx_len";
}

}  // namespace

Explanation explain(const Scenario& minimal, const Signature& signature,
                    const FailingWith& fails_with, const ShrinkLimits& limits) {
  return Explainer(minimal, signature, fails_with, limits).explain_all();
}

std::string to_text(const Explanation& explanation) {
  std::string any, matter;
  for (const FieldExplanation& field : explanation.fields) {
    const bool inner = field.path.find('[') != std::string::npos;
    const std::string name = inner ? field.path : short_path(field.path);
    if (field.matters) {
      matter += fmt::format("{}{} {}", matter.empty() ? "" : ", ", name, field.text);
    } else if (always_said(field.path)) {
      any += fmt::format("{}any {}", any.empty() ? "" : ", ", name);
    }
  }
  return any.empty() || matter.empty() ? any + matter : any + ", " + matter;
}

}  // namespace helixcheck
