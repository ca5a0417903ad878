// Runs the inputs of a fuzz target one by one, with any compiler: what libFuzzer found, or a corpus
// of its. Each file, or each file below a folder, is one input and one line; the first that breaks
// a statement ends the process, after the line that names it.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// False if the file cannot be read.
bool replay(const fs::path& file) {
  std::printf("%s ", file.c_str());
  std::fflush(stdout);
  std::ifstream stream(file, std::ios::binary);
  if (!stream || fs::is_directory(file)) {
    std::printf("cannot be read\n");
    return false;
  }
  const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::printf("ok, %zu bytes\n", bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", argv[0]);
    return 2;
  }
  bool all_read = true;
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& file : files_below(argv[i])) {
      all_read &= replay(file);
      ++count;
    }
  }
  if (count == 0) {
    std::fprintf(stderr, "%s: there is no input in what was named\n", argv[0]);
    return 2;
  }
  return all_read ? 0 : 2;
}
