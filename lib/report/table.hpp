// A small table of texts, printed for people or for programs.

#pragma once

#include <string>
#include <vector>

namespace helixcheck {

struct Table {
  std::string name;                  // key of the JSON array
  std::vector<std::string> columns;  // keys of its objects
  std::vector<std::vector<std::string>> rows;
};

std::string text_of(const Table& table);                // aligned columns under a heading
std::string json_of(const std::vector<Table>& tables);  // {schema, name: [{column: text}]}

}  // namespace helixcheck
