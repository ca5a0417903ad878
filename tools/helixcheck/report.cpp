// `helixcheck report`: a campaign's store as a page, as findings for a code host, as text or JSON.

#include <filesystem>
#include <fmt/format.h>

#include "options.hpp"
#include "process/files.hpp"
#include "report/campaign_json.hpp"
#include "report/campaign_text.hpp"
#include "report/load_campaign.hpp"
#include "report/page.hpp"
#include "report/sarif.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

void write_result(const fs::path& file, const fs::path& store, const std::string& text) {
  std::error_code error;
  if (fs::equivalent(file, store, error)) {
    throw InputError(
        fmt::format("{} is the store itself: the report must be another file", file.string()));
  }
  try {
    write_whole(file, text);
  } catch (const fs::filesystem_error& failure) {
    throw ResourceError(
        fmt::format("{}: cannot be written: {}", file.string(), failure.code().message()));
  }
}

}  // namespace

int report_verb(const Options& options) {
  const fs::path store = options.targets.at(0);
  const StoreReader reader(store);
  const CampaignView view =
      options.together ? load_together(reader) : load_campaign(reader, options.campaign);
  fs::path page = options.output;
  if (page.empty() && !options.json) page = fs::path(store).replace_extension(".html");
  if (!page.empty()) write_result(page, store, html_of(view));
  if (!options.sarif.empty()) {
    write_result(options.sarif, store, sarif_of(view, fs::current_path()));
  }
  fmt::print("{}", options.json ? json_of(view) : describe(view));
  if (page.empty()) return kPass;
  if (!options.json) fmt::print("\npage: {}\n", page.string());
  if (chart_library().script.empty()) {
    fmt::print(stderr, "helixcheck: {} has tables but no plots: {}\n", page.string(),
               chart_library().missing);
  }
  return kPass;
}

}  // namespace helixcheck
