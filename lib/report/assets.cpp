// The assembler copies the files into the object: they stay files for whoever edits them, and a
// megabyte of script costs the compiler nothing.

#include "report/assets.hpp"

#define HELIXCHECK_ASSET(name, file)                                                            \
  __asm__(                                                                                      \
      ".pushsection .rodata\n"                                                                  \
      ".global helixcheck_asset_" #name                                                         \
      "\n"                                                                                      \
      ".hidden helixcheck_asset_" #name                                                         \
      "\n"                                                                                      \
      ".global helixcheck_asset_" #name                                                         \
      "_end\n"                                                                                  \
      ".hidden helixcheck_asset_" #name                                                         \
      "_end\n"                                                                                  \
      "helixcheck_asset_" #name                                                                 \
      ":\n"                                                                                     \
      ".incbin \"" file                                                                         \
      "\"\n"                                                                                    \
      "helixcheck_asset_" #name                                                                 \
      "_end:\n"                                                                                 \
      ".byte 0\n"                                                                               \
      ".popsection\n");                                                                         \
  extern "C" __attribute__((visibility("hidden"))) const char helixcheck_asset_##name[],        \
      helixcheck_asset_##name##_end[];                                                          \
  static std::string_view name##_asset() {                                                      \
    return {helixcheck_asset_##name,                                                            \
            static_cast<std::size_t>(helixcheck_asset_##name##_end - helixcheck_asset_##name)}; \
  }

HELIXCHECK_ASSET(page_html, HELIXCHECK_PAGE_FOLDER "/page.html")
HELIXCHECK_ASSET(page_css, HELIXCHECK_PAGE_FOLDER "/page.css")
HELIXCHECK_ASSET(page_js, HELIXCHECK_PAGE_FOLDER "/page.js")
HELIXCHECK_ASSET(charts_js, HELIXCHECK_PAGE_FOLDER "/charts.js")
HELIXCHECK_ASSET(echarts_js, HELIXCHECK_ECHARTS_FOLDER "/echarts.min.js")
HELIXCHECK_ASSET(echarts_notices, HELIXCHECK_ECHARTS_FOLDER "/notices.txt")

namespace helixcheck {

namespace assets {
std::string_view page_html() {
  return page_html_asset();
}
std::string_view page_css() {
  return page_css_asset();
}
std::string_view page_js() {
  return page_js_asset();
}
std::string_view charts_js() {
  return charts_js_asset();
}
}  // namespace assets

const ChartLibrary& chart_library() {
  static const ChartLibrary library{echarts_js_asset(), echarts_notices_asset(),
                                    HELIXCHECK_ECHARTS_MISSING};
  return library;
}

}  // namespace helixcheck
