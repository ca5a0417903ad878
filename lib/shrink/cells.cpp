// Cells are made by a visitor of the field table: a new field is shrunk as soon as it exists.

#include "shrink/cells.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "scenario/fields.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

// No finite number, so that it differs from the bits of every value a field can have.
constexpr std::uint64_t kAbsent = 0x7ff8dead00000000u;

template <typename T>
std::uint64_t load(const void* where) {
  const T& value = *static_cast<const T*>(where);
  if constexpr (std::same_as<T, double>) {
    return std::bit_cast<std::uint64_t>(value);
  } else if constexpr (std::same_as<T, std::optional<double>>) {
    return value ? std::bit_cast<std::uint64_t>(*value) : kAbsent;
  } else if constexpr (std::same_as<T, std::optional<RopeScaling>>) {
    return value.has_value();
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <typename T>
void store(void* where, std::uint64_t bits) {
  T& value = *static_cast<T*>(where);
  if constexpr (std::same_as<T, double>) {
    value = std::bit_cast<double>(bits);
  } else if constexpr (std::same_as<T, std::optional<double>>) {
    value = bits == kAbsent ? T() : T(std::bit_cast<double>(bits));
  } else if constexpr (std::same_as<T, std::optional<RopeScaling>>) {
    value = bits == 0 ? T() : value ? value : T(RopeScaling{});
  } else {
    value = static_cast<T>(bits);
  }
}

template <typename T>
std::string text_of(const void* where) {
  if constexpr (std::same_as<T, std::optional<RopeScaling>>) {
    return load<T>(where) ? "yarn" : "none";
  } else {
    return to_text(*static_cast<const T*>(where));
  }
}

std::uint64_t real_rank(double value, double standard) {
  if (value == standard) return 0;
  if (value == 1) return 1;
  int exponent = 0;
  if (std::frexp(value, &exponent) == 0.5 && std::abs(exponent - 1) <= 40) {
    exponent -= 1;
    return 2 * static_cast<std::uint64_t>(std::abs(exponent)) + (exponent < 0 ? 1 : 0);
  }
  const std::string shortest = fmt::format("{}", value);
  return 1000 + static_cast<std::uint64_t>(std::count_if(
                    shortest.begin(), std::find(shortest.begin(), shortest.end(), 'e'),
                    [](char c) { return c >= '0' && c <= '9'; }));
}

double real_of_rank(std::uint64_t rank, double standard) {
  if (rank == 0) return standard;
  if (rank == 1) return 1;
  const auto exponent = static_cast<int>(rank / 2);
  return std::ldexp(1.0, rank % 2 == 0 ? exponent : -exponent);
}

// Layer sizes that an entry without projections does not use.
bool means_nothing(Entry entry, std::string_view name) {
  constexpr std::array<std::string_view, 2> kLayerOnly{"hidden_size", "v_head_dim"};
  constexpr std::array<std::string_view, 4> kCacheOnly{"qk_nope_head_dim", "qk_rope_head_dim",
                                                       "ctx_len", "kv_cache_tokens_per_block"};
  const auto among = [name](const auto& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (entry == Entry::layer) return false;
  return among(kLayerOnly) || (entry == Entry::merge && among(kCacheOnly));
}

// Numbers whose default is simpler than their smallest value: a step that decodes nothing, or a
// pool without a spare page, is the special case.
bool default_first(std::string_view name) {
  return name == "decode_steps" || name == "predicted_tokens_per_seq" || name == "spare_pages" ||
         name == "original_max_position_embeddings" || name == "seed";
}

bool left_alone(std::string_view name) {
  return name == "verdict" || name == "atol" || name == "rtol" || name == "max_mismatch_ratio";
}

}  // namespace

class CellCollector {
 public:
  CellCollector(std::vector<Cell>& cells, Entry entry) : cells_(cells), entry_(entry) {}

  template <typename Block>
  void collect(std::string_view block, Block& members, const Block& standard,
               std::int64_t index = -1) {
    const std::string_view outer = block_;
    const std::int64_t outer_index = index_;
    block_ = block;
    index_ = index;
    visit_fields(*this, members, standard);
    block_ = outer;
    index_ = outer_index;
  }

  template <Scalar T>
  void operator()(const Field& field, T& value, const T& standard) {
    if (std::same_as<T, std::string> || left_alone(field.name)) return;
    if constexpr (!std::same_as<T, std::string>) add(field, value, standard);
  }
  void operator()(const Field& field, std::vector<std::int64_t>& lengths,
                  const std::vector<std::int64_t>& standard) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      add(field, lengths[i], standard[0]).index = static_cast<std::int64_t>(i);
    }
  }
  void operator()(const Field& field, std::optional<RopeScaling>& scaling,
                  const std::optional<RopeScaling>& standard) {
    add(field, scaling, standard);
    if (scaling) collect("problem.rope_scaling", *scaling, RopeScaling{});
  }
  void operator()(const Field&, std::vector<HeavyKey>& keys, const std::vector<HeavyKey>&) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      collect("problem.data.heavy", keys[i], HeavyKey{}, static_cast<std::int64_t>(i));
    }
  }
  void operator()(const Field&, Data& data, const Data& standard) {
    collect("problem.data", data, standard);
  }

  void add_tokens(std::vector<Step>& script) {
    std::int64_t one = 1;
    for (std::size_t i = 0; i < script.size(); ++i) {
      for (std::size_t j = 0; j < script[i].tokens.size(); ++j) {
        block_ = "script";
        Cell& cell = add(Field{"tokens", "", "", 0, 0}, script[i].tokens[j], one);
        cell.step = static_cast<std::int64_t>(i);
        cell.index = static_cast<std::int64_t>(j);
        cell.first_ = 1;
      }
    }
  }

 private:
  template <typename T>
  Cell& add(const Field& field, T& value, const T& standard) {
    Cell cell;
    cell.block = block_;
    cell.name = field.name;
    cell.index = index_;
    cell.where_ = &value;
    cell.load_ = load<T>;
    cell.store_ = store<T>;
    cell.text_ = text_of<T>;
    cell.standard_bits_ = load<T>(&standard);
    if constexpr (std::same_as<T, double> || std::same_as<T, std::optional<double>>) {
      cell.kind = CellKind::real;
      cell.optional_ = !std::same_as<T, double>;
    } else {
      cell.standard_ = static_cast<std::int64_t>(cell.standard_bits_);
      rank_integers<T>(field, cell);
    }
    cells_.push_back(cell);
    return cells_.back();
  }

  template <typename T>
  void rank_integers(const Field& field, Cell& cell) const {
    cell.first_ = cell.standard_;
    if constexpr (Enumeration<T>) {
      cell.kind = CellKind::choice;
      cell.values = names<T>().size();
      cell.reversed_ = std::same_as<T, Entry>;
    } else if constexpr (std::same_as<T, bool> || !Scalar<T>) {
      cell.kind = CellKind::choice;
      cell.values = 2;
    } else {
      cell.low_ = static_cast<std::int64_t>(field.min);
      const bool standard_first = default_first(field.name) || means_nothing(entry_, field.name);
      if (!standard_first) cell.first_ = cell.low_;
    }
  }

  std::vector<Cell>& cells_;
  Entry entry_;
  std::string_view block_;
  std::int64_t index_ = -1;
};

std::uint64_t Cell::bits() const {
  return load_(where_);
}
std::int64_t Cell::value() const {
  return static_cast<std::int64_t>(bits());
}
double Cell::real() const {
  return std::bit_cast<double>(bits());
}
void Cell::set_real(double value) const {
  store_(where_, std::bit_cast<std::uint64_t>(value));
}
bool Cell::is_default() const {
  return bits() == standard_bits_;
}
std::string Cell::text() const {
  return text_(where_);
}

std::uint64_t Cell::rank_of(std::int64_t value) const {
  if (reversed_) return values - 1 - static_cast<std::uint64_t>(value);
  const std::uint64_t offset = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low_);
  const std::uint64_t first = static_cast<std::uint64_t>(first_) - static_cast<std::uint64_t>(low_);
  return offset == first ? 0 : offset < first ? offset + 1 : offset;
}

std::uint64_t Cell::rank() const {
  if (kind != CellKind::real) return rank_of(value());
  const double standard = std::bit_cast<double>(standard_bits_);
  if (!optional_) return real_rank(real(), standard);
  const bool absent = bits() == kAbsent;
  if (standard_bits_ == kAbsent) return absent ? 0 : 1 + real_rank(real(), 1.0);
  if (absent) return 1;
  return bits() == standard_bits_ ? 0 : 1 + real_rank(real(), standard);
}

bool Cell::set_rank(std::uint64_t rank) const {
  if (kind == CellKind::real) {
    const bool absent_first = optional_ && standard_bits_ == kAbsent;
    if (rank >= kInvertibleReals) return false;
    if (optional_ && rank == (absent_first ? 0u : 1u)) {
      store_(where_, kAbsent);
    } else if (absent_first) {
      set_real(real_of_rank(rank == 1 ? 0 : rank - 1, 1.0));
    } else {
      const double standard = std::bit_cast<double>(standard_bits_);
      set_real(real_of_rank(optional_ && rank > 0 ? rank - 1 : rank, standard));
    }
    return true;
  }
  if (kind == CellKind::choice && rank >= values) return false;
  if (reversed_) {
    store_(where_, values - 1 - rank);
    return true;
  }
  const std::uint64_t first = static_cast<std::uint64_t>(first_) - static_cast<std::uint64_t>(low_);
  const std::uint64_t offset = rank == 0 ? first : rank <= first ? rank - 1 : rank;
  store_(where_, offset + static_cast<std::uint64_t>(low_));
  return true;
}

std::string Cell::path() const {
  if (step >= 0) return fmt::format("script[{}].tokens[{}]", step, index);
  if (block == "problem.data.heavy") return fmt::format("{}[{}].{}", block, index, name);
  return index >= 0 ? fmt::format("{}.{}[{}]", block, name, index)
                    : fmt::format("{}.{}", block, name);
}

std::vector<Cell> cells(Scenario& scenario) {
  static const Scenario standard;
  std::vector<Cell> result;
  result.reserve(64);
  CellCollector collector(result, scenario.problem.entry);
  collector.collect("problem", scenario.problem, standard.problem);
  collector.collect("layout", scenario.layout, standard.layout);
  collector.collect("run", scenario.run, standard.run);
  collector.add_tokens(scenario.script);
  return result;
}

const Cell& cell_named(const std::vector<Cell>& cells, std::string_view name) {
  const auto found =
      std::find_if(cells.begin(), cells.end(), [name](const Cell& cell) { return cell.is(name); });
  assert(found != cells.end());
  return *found;
}

std::vector<double> shorter_reals(double value) {
  std::vector<double> shorter;
  if (!std::isfinite(value) || value == 0) return shorter;
  const double power = std::copysign(std::exp2(std::floor(std::log2(std::abs(value)))), value);
  shorter = {power, 2 * power};
  for (int digits = 1; digits <= 3; ++digits) {
    shorter.push_back(std::strtod(fmt::format("{:.{}e}", value, digits - 1).c_str(), nullptr));
  }
  return shorter;
}

}  // namespace helixcheck
