// A file is the old one or the new one, and nothing else is left behind.

#include "process/files.hpp"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>

#include "support/child.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

class Files : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const fs::path file_ = folder_.path() / "file";
};

TEST_F(Files, AreWrittenWhole) {
  const std::string binary("a\0b\n", 4), large(3'000'000, 'x');
  for (const std::string& text : {binary, large, std::string()}) {
    write_whole(file_, text);
    EXPECT_TRUE(contents(file_) == text) << "replaced, " << text.size() << " bytes";
    EXPECT_EQ(files_in(folder_.path()), 1) << "nothing beside it";
  }
}

TEST_F(Files, StayAsTheyWereIfWritingFails) {
  write_whole(file_, "before");
  Child writer([this](const Child::Say&) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_whole(file_, std::string(200'000, 'x'));
    } catch (const fs::filesystem_error& error) {
      if (error.path1() == file_) return;
    }
    throw std::runtime_error("no error that names the file");
  });
  EXPECT_EQ(writer.wait(), 0);
  EXPECT_EQ(contents(file_), "before");
  EXPECT_EQ(files_in(folder_.path()), 1);
}

TEST_F(Files, NeedAPlaceToBe) {
  EXPECT_THROW(write_whole(folder_.path() / "no folder" / "file", ""), fs::filesystem_error);
  fs::create_directories(file_ / "deeper");
  EXPECT_THROW(write_whole(file_, "text"), fs::filesystem_error) << "a folder is there";
  EXPECT_TRUE(fs::exists(file_ / "deeper"));
  EXPECT_EQ(files_in(folder_.path()), 1);
}

TEST_F(Files, WorkFoldersGoWithWhatIsInThem) {
  fs::path one, other;
  {
    const WorkFolder folder, second;
    one = folder.path();
    other = second.path();
    EXPECT_NE(one, other);
    EXPECT_EQ(files_in(one), 0);
    fs::create_directories(one / "deeper");
    write_whole(one / "deeper" / "file", "text");
  }
  EXPECT_FALSE(fs::exists(one));
  EXPECT_FALSE(fs::exists(other));
}

}  // namespace
}  // namespace helixcheck
