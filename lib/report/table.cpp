// Columns as wide as their widest text; the last one is not padded.

#include "report/table.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace helixcheck {

std::string text_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(column.size());
  for (const std::vector<std::string>& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add_row = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += last ? row[i] + "\n" : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
  };
  add_row(table.columns);
  for (const std::vector<std::string>& row : table.rows) add_row(row);
  return text;
}

}  // namespace helixcheck
