// A command that needs ranks starts itself under mpirun; the environment tells the copies so.

#include "worlds.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

namespace helixcheck {
namespace {

constexpr const char* kLaunchedByUs = "HELIXCHECK_LAUNCHED";

bool world_given(const Options& options) {
  return std::any_of(options.fields.begin(), options.fields.end(),
                     [](const auto& field) { return field.first == "world"; });
}

int rank_count(const Scenario& scenario) {
  return scenario.problem.entry == Entry::merge ? 1 : static_cast<int>(scenario.layout.ranks());
}

}  // namespace

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "helixcheck";
}

Worlds::Worlds(const Options& options) : options_(options) {
  if (mpi::available() && mpi::inside_job()) {
    session_ = std::make_unique<mpi::Session>(std::chrono::seconds(options.hang_limit_s));
  }
}

void Worlds::choose_world(Scenario& scenario) const {
  if (session_ && !world_given(options_) && std::getenv(kLaunchedByUs) == nullptr) {
    scenario.run.world = WorldKind::mpi;
  }
}

std::optional<int> Worlds::relaunch(const std::vector<Scenario>& scenarios) const {
  if (session_) return std::nullopt;
  int ranks = 0;
  for (const Scenario& scenario : scenarios) {
    if (scenario.run.world == WorldKind::mpi) ranks = std::max(ranks, rank_count(scenario));
  }
  if (ranks == 0) return std::nullopt;
  std::vector<std::string> arguments = options_.arguments;
  arguments.front() = own_path();
  setenv(kLaunchedByUs, "1", 1);
  return mpi::launch(ranks, arguments);
}

std::unique_ptr<World> Worlds::make(const Scenario& scenario) {
  const bool merge = scenario.problem.entry == Entry::merge;
  const int kvp = merge ? 1 : static_cast<int>(scenario.layout.kvp);
  const int tpa = merge ? 1 : static_cast<int>(scenario.layout.tpa);
  if (scenario.run.world == WorldKind::mpi && session_) {
    return session_->make_world(kvp, tpa, scenario.run.transport);
  }
  return is_root() ? make_sim_world(kvp, tpa) : nullptr;
}

void Worlds::abort_job(int status, const std::string& why) {
  if (session_) session_->abort(status, why);
}

}  // namespace helixcheck
