// Files that are part of the command: the report's page and the charting library it carries.

#pragma once

#include <string>
#include <string_view>

namespace helixcheck {

namespace assets {
std::string_view page_html();
std::string_view page_css();
std::string_view page_js();
std::string_view charts_js();
}  // namespace assets

// Apache ECharts, which draws the report's plots.
struct ChartLibrary {
  std::string_view script;   // "" if this build has none
  std::string_view notices;  // its licences, which go wherever it goes
  std::string missing;       // why it has none, one sentence
};

const ChartLibrary& chart_library();

}  // namespace helixcheck
