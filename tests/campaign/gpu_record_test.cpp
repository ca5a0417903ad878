// Records of GPU runs: the newest one counts, and it ages with the kernels.

#include "campaign/gpu_record.hpp"

#include <gtest/gtest.h>

#include "support/command.hpp"

namespace helixcheck {
namespace {

std::string record(const std::string& date, const std::string& kernels, const char* verdict) {
  return "{\n  \"schema\": 1,\n  \"date\": \"" + date + "\",\n  \"commit\": \"0123456789ab\",\n" +
         "  \"kernels\": \"" + kernels + "\",\n  \"verdict\": \"" + verdict + "\"\n}\n";
}

bool holds(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST(GpuRecord, IsMissingAtFirst) {
  const TemporaryFolder root;
  EXPECT_FALSE(newest_gpu_record(root.path()));
  EXPECT_EQ(kernels_hash(root.path()), "");
  EXPECT_TRUE(holds(gpu_record_state(root.path()), "never recorded"));
}

TEST(GpuRecord, AgesWithTheKernels) {
  const TemporaryFolder root;
  std::filesystem::create_directories(root.path() / "kernels" / "attend");
  std::filesystem::create_directories(root.path() / "docs" / "results");
  root.write("kernels/attend/kernel.cu", "a");
  const std::string hash = kernels_hash(root.path());
  ASSERT_EQ(hash.size(), 16u);
  root.write("docs/results/gpu-2031-01-02.json", record("2031-01-02", "old", "fail"));
  EXPECT_TRUE(holds(gpu_record_state(root.path()), "2031-01-02, commit 0123456789ab: failed"));
  root.write("docs/results/gpu-2031-01-03.json", record("2031-01-03", hash, "pass"));
  EXPECT_EQ(gpu_record_state(root.path()),
            "2031-01-03, commit 0123456789ab: passed, with the kernels as they are");
  root.write("kernels/attend/kernel.cu", "b");
  EXPECT_NE(kernels_hash(root.path()), hash);
  EXPECT_TRUE(holds(gpu_record_state(root.path()), "older than the kernels: run tools/gpu-check"));
}

TEST(GpuRecord, SeesFilesThatAreNamedAnew) {
  const TemporaryFolder root;
  std::filesystem::create_directories(root.path() / "kernels");
  root.write("kernels/a.cu", "text");
  const std::string before = kernels_hash(root.path());
  std::filesystem::rename(root.path() / "kernels/a.cu", root.path() / "kernels/b.cu");
  EXPECT_NE(kernels_hash(root.path()), before);
}

}  // namespace
}  // namespace helixcheck
