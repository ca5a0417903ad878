// Writes the pages that the browser test opens into the folder that is its argument.

#include <filesystem>
#include <fstream>

#include "report/made_up_campaign.hpp"
#include "report/page.hpp"

int main(int count, char** arguments) {
  using namespace helixcheck;
  if (count != 2) return 2;
  const std::filesystem::path folder(arguments[1]);
  std::filesystem::create_directories(folder);
  const auto write = [&folder](const char* name, const std::string& text) {
    return static_cast<bool>(std::ofstream(folder / name, std::ios::binary) << text);
  };
  const ChartLibrary none{"", "", "this build has no charting library"};
  return write("night.html", html_of(made_up_campaign())) &&
                 write("empty.html", html_of(made_up_empty_campaign())) &&
                 write("tables.html", html_of(made_up_campaign(), none))
             ? 0
             : 1;
}
