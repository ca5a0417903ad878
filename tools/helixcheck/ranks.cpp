#include "ranks.hpp"

#include <chrono>
#include <fmt/format.h>

#include "campaign/rank_service.hpp"
#include "interrupt.hpp"
#include "scenario/error.hpp"
#include "subject/subject.hpp"
#include "world/mpi.hpp"
#include "worlds.hpp"

namespace helixcheck {

int serve_ranks(const Options& options) {
  mpi::Session session(std::chrono::seconds(options.hang_limit_s));
  RunOptions run;
  run.contract = options.contract;
  serve_runs(session, *find_subject(options.subject), run);
  return kPass;
}

std::unique_ptr<RankJob> start_ranks(const Options& options) {
  if (mpi::inside_job()) {
    throw InputError(
        fmt::format("{} --world mpi starts its ranks itself: run it without mpirun", options.verb));
  }
  for (const std::string& name : options.properties) {
    if (name == "equivalence") continue;
    throw InputError(
        fmt::format("--property {}: {} --world mpi knows equivalence only", name, options.verb));
  }
  RankJobOrder order{options.ranks, options.arguments, interrupt_wished};
  order.arguments.front() = own_path();
  return std::make_unique<RankJob>(std::move(order));
}

}  // namespace helixcheck
