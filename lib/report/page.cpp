// The data go into the template as one block that no browser runs; page/page.js makes elements of
// them and never markup.

#include "report/page.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <span>

#include "report/campaign_json.hpp"

namespace helixcheck {
namespace {

std::string as_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

// JSON that cannot end the script element it stands in, nor open a comment there.
std::string as_data(std::string json) {
  std::size_t at = 0;
  while ((at = json.find('<', at)) != std::string::npos) json.replace(at, 1, "\\u003c");
  return json;
}

// Scripts run only with this word, which what the store holds cannot know: it depends on all of it.
std::string nonce_of(std::string_view data) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : data) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

struct Part {
  std::string_view mark, text;
};

// One pass: marks inside of what is put in are left alone.
std::string filled(std::string_view page, std::span<const Part> parts) {
  std::string result;
  while (!page.empty()) {
    const std::size_t begin = std::min(page.find("{{"), page.size());
    result += page.substr(0, begin);
    page.remove_prefix(begin);
    const auto part = std::find_if(parts.begin(), parts.end(), [&page](const Part& one) {
      return page.substr(0, one.mark.size()) == one.mark;
    });
    if (part != parts.end()) result += part->text;
    page.remove_prefix(part != parts.end() ? part->mark.size() : std::min(page.size(), 2ul));
  }
  return result;
}

}  // namespace

std::string html_of(const CampaignView& view, const ChartLibrary& charts) {
  const std::string data = as_data(compact_json_of(view));
  const std::string nonce = nonce_of(data);
  const std::string title =
      as_text(fmt::format("Helixcheck: campaign {}, {}, {}", view.campaign().id,
                          view.campaign().subject, headline(view)));
  const std::string notices = as_text(charts.notices), missing = as_text(charts.missing);
  const std::array parts{Part{"{{title}}", title},
                         Part{"{{nonce}}", nonce},
                         Part{"{{style}}", assets::page_css()},
                         Part{"{{data}}", data},
                         Part{"{{charts missing}}", missing},
                         Part{"{{charts notices}}", notices},
                         Part{"{{chart library}}", charts.script},
                         Part{"{{charts}}", assets::charts_js()},
                         Part{"{{page}}", assets::page_js()}};
  return filled(assets::page_html(), parts);
}

}  // namespace helixcheck
