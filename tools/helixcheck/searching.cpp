#include "searching.hpp"

#include <algorithm>
#include <thread>

#include "interrupt.hpp"
#include "subject/subject.hpp"
#include "worlds.hpp"

namespace helixcheck {

int worker_count(const Options& options) {
  if (options.jobs > 0) return options.jobs;
  for (const hxc_subject* subject : builtin_subjects()) {
    if (options.subject == subject->name) {
      return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
  }
  return 1;
}

ShrinkLimits shrink_limits(const Options& options) {
  ShrinkLimits limits;
  limits.evaluations = options.shrink_evaluations;
  limits.seconds = options.shrink_seconds;
  limits.jobs = worker_count(options);
  limits.interrupted = interrupt_wished;
  return limits;
}

FreshProcess fresh_process(const Options& options) {
  FreshProcess process;
  process.command = own_path();
  process.interrupted = interrupt_wished;
  process.arguments = {"--subject", options.subject};
  if (options.contract) {
    process.arguments.insert(process.arguments.end(), {"--contract", *options.contract});
  }
  return process;
}

}  // namespace helixcheck
