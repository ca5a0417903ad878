// `helixcheck doctor`: what this machine and this build can do, and what is missing.

#include <filesystem>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "campaign/commit.hpp"
#include "campaign/corpus.hpp"
#include "campaign/gpu_record.hpp"
#include "device/cuda.hpp"
#include "options.hpp"
#include "report/table.hpp"
#include "run/memory.hpp"
#include "scenario/error.hpp"
#include "subject/cpu/kernels.hpp"
#include "world/mpi.hpp"

namespace helixcheck {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string host() {
  std::string name(256, '\0');
  return gethostname(name.data(), name.size()) == 0 ? std::string(name.c_str()) : "unknown";
}

std::string corpus_state(const std::filesystem::path& corpus) {
  try {
    return fmt::format("{}: {} scenarios", corpus.string(),
                       find_scenarios({corpus.string()}, corpus).size());
  } catch (const InputError& error) {
    return error.what();
  }
}

// One row a device, or one that says there is none.
void add_devices(Table& table) {
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  std::vector<cuda::Device> devices;
  try {
    devices = cuda::module().devices();
  } catch (const ResourceError&) {  // the row of the subject says why
  }
  if (devices.empty()) table.rows.push_back({"devices", "none"});
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const cuda::Device& device = devices[i];
    table.rows.push_back(
        {fmt::format("device {}", i),
         fmt::format("{}, capability {}, {:.1f} of {:.1f} GiB free", device.name, device.capability,
                     static_cast<double>(cuda::module().free_bytes(static_cast<int>(i))) / kGiB,
                     static_cast<double>(device.memory_bytes) / kGiB)});
  }
}

}  // namespace

int doctor_verb(const Options& options) {
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  const std::filesystem::path corpus =
      options.corpus.empty() ? default_corpus() : std::filesystem::path(options.corpus);
  const bool avx2 = &cpu::kernels() != &cpu::baseline_kernels();
  Table table{"doctor", {"item", "state"}, {}};
  table.rows = {
      {"version", fmt::format("{}, built with {}", HELIXCHECK_VERSION, compiler())},
      {"commit", project_commit()},
      {"host", host()},
      {"cores", fmt::format("{}", std::thread::hardware_concurrency())},
      {"memory",
       fmt::format("{:.1f} GiB free", static_cast<double>(available_memory_bytes()) / kGiB)},
      {"cpu kernels", avx2 ? "AVX2" : "baseline (no AVX2)"},
      {"world sim", "ready"},
      {"world mpi", mpi::library()},
      {"subject cuda", cuda::state()},
  };
  add_devices(table);
  const std::filesystem::path root = std::filesystem::absolute(default_corpus()).parent_path();
  table.rows.push_back({"kernels", kernels_hash(root)});
  table.rows.push_back({"gpu check", gpu_record_state(root)});
  table.rows.push_back({"corpus", corpus_state(corpus)});
  fmt::print("{}", options.json ? json_of(std::vector<Table>{table}) : text_of(table));
  return kPass;
}

}  // namespace helixcheck
