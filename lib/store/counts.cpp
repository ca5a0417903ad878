// Counts by tap and by pair of levels. A store has some 13,000 pairs a campaign, which are written
// again and again: levels are kept by number, so that a pair takes ten bytes.

#include <unordered_map>

#include "store/statement.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

// Numbers of levels by their names; unknown ones get the next.
class Levels {
 public:
  explicit Levels(const Connection& connection)
      : connection_(connection), add_(connection, "INSERT INTO levels (name) VALUES (?)") {
    Statement known(connection, "SELECT id, name FROM levels");
    while (known.step()) {
      std::int64_t id = 0;
      std::string name;
      known.read(id, name);
      ids_.emplace(std::move(name), id);
    }
  }
  std::int64_t id_of(const std::string& name) {
    const auto [found, unknown] = ids_.try_emplace(name, 0);
    if (unknown) {
      add_.bind(name).run();
      found->second = connection_.last_row();
    }
    return found->second;
  }

 private:
  const Connection& connection_;
  Statement add_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

}  // namespace

void Store::save_taps(std::span<const TapRecord> taps) {
  write([&] {
    Statement tap(connection(),
                  "INSERT INTO taps (campaign, tap, worst_ratio) VALUES (?, ?, ?) "
                  "ON CONFLICT (campaign, tap) DO UPDATE SET worst_ratio = excluded.worst_ratio");
    Statement ratio(connection(),
                    "INSERT INTO tap_ratios (campaign, tap, log2_ratio, cases) "
                    "VALUES (?, ?, ?, ?) ON CONFLICT (campaign, tap, log2_ratio) "
                    "DO UPDATE SET cases = excluded.cases");
    for (const TapRecord& record : taps) {
      tap.bind(record.campaign, record.tap, record.worst_ratio).run();
      for (const auto& [exponent, cases] : record.cases) {
        ratio.bind(record.campaign, record.tap, exponent, cases).run();
      }
    }
  });
}

void Store::save_pairs(std::span<const PairRecord> pairs) {
  write([&] {
    Levels levels(connection());
    // Most counts stand still for a while: only pages with a changed one are written.
    Statement pair(connection(),
                   "INSERT INTO level_pairs (campaign, a, b, cases) VALUES (?, ?, ?, ?) "
                   "ON CONFLICT (campaign, a, b) DO UPDATE SET cases = excluded.cases "
                   "WHERE cases IS NOT excluded.cases");
    for (const PairRecord& record : pairs) {
      const std::int64_t a = levels.id_of(record.a), b = levels.id_of(record.b);
      pair.bind(record.campaign, a, b, record.count).run();
    }
  });
}

}  // namespace helixcheck
