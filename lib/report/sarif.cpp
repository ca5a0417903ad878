// Only what code hosts show or compare is written: rules, results, where, and how to repeat it.

#include "report/sarif.hpp"

#include <cctype>
#include <fmt/format.h>
#include <map>
#include <string_view>

#include "campaign/commit.hpp"
#include "property/property.hpp"
#include "report/exact_json.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

// All bytes that RFC 3986 does not allow in a path, as %XX.
std::string uri_path(const std::string& path) {
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        byte < 0x80 && (std::isalnum(byte) != 0 ||
                        std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos);
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return text;
}

Json artifact_location(const std::string& file, const fs::path& root) {
  const fs::path path(file);
  const fs::path inside = path.is_absolute()
                              ? path.lexically_normal().lexically_relative(root.lexically_normal())
                              : path.lexically_normal();
  if (!inside.empty() && *inside.begin() != "..") {
    return {{"uri", uri_path(inside.generic_string())}, {"uriBaseId", "%SRCROOT%"}};
  }
  return {{"uri", "file://" + uri_path((root / path).lexically_normal().generic_string())}};
}

Json location_of(const FindingRecord& finding, const fs::path& root) {
  Json location;
  if (!finding.file.empty()) {
    location["physicalLocation"] = {{"artifactLocation", artifact_location(finding.file, root)},
                                    {"region", {{"startLine", 1}}}};
  }
  location["logicalLocations"] =
      Json::array({{{"name", finding.stage.empty() ? "run" : finding.stage},
                    {"fullyQualifiedName", finding.signature},
                    {"kind", "stage"}}});
  return location;
}

// Properties of this build, then those that only the store knows.
class Rules {
 public:
  Rules() {
    for (const Property& property : properties()) {
      add(std::string(property.name), std::string(property.about));
    }
  }

  std::size_t index_of(const std::string& property) {
    const auto known = indices_.find(property);
    return known != indices_.end() ? known->second
                                   : add(property, "a property that this version does not know");
  }

  const Json& json() const { return rules_; }

 private:
  std::size_t add(const std::string& id, const std::string& about) {
    rules_.push_back({{"id", id},
                      {"shortDescription", {{"text", about}}},
                      {"defaultConfiguration", {{"level", "error"}}}});
    return indices_[id] = rules_.size() - 1;
  }

  Json rules_ = Json::array();
  std::map<std::string, std::size_t> indices_;
};

Json result_of(const FindingRecord& finding, const CampaignView& view, const fs::path& root,
               Rules& rules) {
  const bool fresh = novelty_of(finding, view) == Novelty::fresh;
  std::string message = finding.blame.empty() ? finding.signature : finding.blame;
  if (!finding.replay.empty()) message += "\nReplay: " + finding.replay;
  Json json;
  json["ruleId"] = finding.property;
  json["ruleIndex"] = rules.index_of(finding.property);
  json["level"] = "error";
  json["message"] = {{"text", message}};
  json["locations"] = Json::array({location_of(finding, root)});
  json["partialFingerprints"] = {{"helixcheckSignature/v1", finding.signature}};
  json["baselineState"] = fresh ? "new" : "unchanged";
  json["properties"] = {{"subject", finding.subject},     {"kind", finding.kind},
                        {"stage", finding.stage},         {"state", finding.state},
                        {"cases", exact(finding.count)},  {"firstSeen", finding.first_seen},
                        {"lastSeen", finding.last_seen},  {"firstCommit", finding.first_commit},
                        {"failsFor", finding.explanation}};
  return json;
}

Json invocation_of(const CampaignRecord& campaign) {
  Json json;
  json["executionSuccessful"] = true;  // that there are findings is no failure of the tool
  if (!campaign.command.empty()) json["commandLine"] = campaign.command;
  if (!campaign.started.empty()) json["startTimeUtc"] = campaign.started;
  if (!campaign.ended.empty()) json["endTimeUtc"] = campaign.ended;
  if (!campaign.host.empty()) json["machine"] = campaign.host;
  return json;
}

}  // namespace

std::string sarif_of(const CampaignView& view, const fs::path& root) {
  Rules rules;
  Json results = Json::array();
  for (const FindingRecord* finding : in_order(view)) {
    results.push_back(result_of(*finding, view, root, rules));
  }
  Json driver = {{"name", "helixcheck"}, {"version", HELIXCHECK_VERSION}};
  if (!project_commit().empty()) {
    driver["fullName"] = fmt::format("helixcheck {} ({})", HELIXCHECK_VERSION, project_commit());
  }
  driver["rules"] = rules.json();
  Json run;
  run["tool"] = {{"driver", std::move(driver)}};
  run["invocations"] = Json::array({invocation_of(view.campaign())});
  run["columnKind"] = "unicodeCodePoints";
  run["results"] = std::move(results);
  Json json;
  json["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  json["version"] = "2.1.0";
  json["runs"] = Json::array({std::move(run)});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace helixcheck
