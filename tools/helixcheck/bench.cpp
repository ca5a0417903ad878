// `helixcheck bench`: how long a decode step takes, and how near its attention is to what the
// device can do. A wrong result prints no time.

#include <cmath>
#include <fmt/format.h>

#include "bench/measure.hpp"
#include "campaign/commit.hpp"
#include "device/cuda.hpp"
#include "options.hpp"
#include "report/bench_report.hpp"
#include "run/run.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

std::vector<std::int64_t> or_default(const std::vector<std::int64_t>& given, std::int64_t other) {
  return given.empty() ? std::vector<std::int64_t>{other} : given;
}

// A list by name, or every combination of the options.
std::vector<bench::Shape> chosen_shapes(const Options& options) {
  std::vector<bench::Shape> shapes;
  if (!options.shapes.empty()) {
    if (!options.heads.empty() || !options.batches.empty() || !options.ctx_lens.empty() ||
        options.kvps.size() > 1) {
      throw InputError("--shapes takes no --heads, --batch or --ctx-len, and --kvp of one number");
    }
    shapes = bench::find_shape_list(options.shapes).shapes;
    for (bench::Shape& shape : shapes) {
      if (!options.kvps.empty()) shape.kvp = options.kvps.front();
    }
    return shapes;
  }
  const bench::Shape standard;
  for (const std::int64_t kvp : or_default(options.kvps, standard.kvp)) {
    for (const std::int64_t heads : or_default(options.heads, standard.heads)) {
      for (const std::int64_t batch : or_default(options.batches, standard.batch)) {
        for (const std::int64_t ctx : or_default(options.ctx_lens, standard.ctx_len)) {
          shapes.push_back({batch, heads, ctx, kvp});
        }
      }
    }
  }
  return shapes;
}

Scenario base_scenario(const Options& options) {
  Scenario base;
  base.layout.kv_cache_tokens_per_block = 64;
  if (!options.shapes.empty() && !bench::find_shape_list(options.shapes).layer) {
    base.problem.entry = Entry::core;
  }
  for (const auto& [option, value] : options.fields) apply_argument(base, option, value);
  return base;
}

// The rows of one table, on what one process measures with.
class BenchTable {
 public:
  BenchTable(const Options& options, Worlds& worlds, const Subject& subject)
      : options_(options),
        worlds_(worlds),
        subject_(subject),
        memory_(subject.memory()),
        timing_(memory_.is_host() ? make_host_timing() : cuda::module().make_timing(memory_)) {
    write_header();
    if (options.min_roof && header_.rates.read_bytes_per_s == 0) {
      throw InputError("--min-roof needs a subject on a GPU: hosts have no roofline here");
    }
  }

  // A shape that does not fit, or that the subject does not take, leaves the others their rows.
  void measure(const Scenario& scenario, const bench::Shape& shape) {
    try {
      measure_one(scenario, shape);
    } catch (const InputError& error) {
      refused_ = true;
      if (worlds_.is_root()) fmt::print(stderr, "helixcheck: {}\n", error.what());
    }
  }

  int finish() const {
    if (!worlds_.is_root()) return kPass;
    if (options_.json) fmt::print("{}", json_of(header_, results_));
    if (slow_) {
      fmt::print(stderr, "helixcheck: attention is below {} % of the roofline\n",
                 *options_.min_roof);
    }
    return refused_ ? kBadInput : wrong_ || slow_ ? kFinding : kPass;
  }

 private:
  void measure_one(const Scenario& scenario, const bench::Shape& shape) {
    if (memory_.is_host()) require_memory(scenario);
    const std::unique_ptr<World> world = worlds_.make(scenario);
    if (!world) return;
    require_device_memory(scenario, subject_, *world);
    bench::MeasureOptions how;
    how.samples = options_.samples;
    how.seconds = options_.sample_seconds;
    how.warm_cache = options_.warm_cache;
    how.record = options_.record;
    bench::Row row = bench::measure(scenario, shape, *world, subject_, memory_, *timing_, how);
    if (!world->is_root()) return;
    header_.world = std::string(world->name());
    header_.processes = world->size() / world->local_ranks();
    take({scenario, std::move(row)});
  }

  void write_header() {
    header_.device = memory_.name();
    if (!memory_.is_host()) {
      header_.device = cuda::module().devices()[static_cast<std::size_t>(cuda::device())].name;
      header_.versions = cuda::module().versions();
      header_.rates = timing_->measure_rates();
      header_.state = timing_->state();
    }
    header_.commit = project_commit();
    header_.subject = subject_.name();
    header_.layers = options_.layers;
    header_.warm_cache = options_.warm_cache;
    header_.command = "helixcheck";
    for (std::size_t i = 1; i < options_.arguments.size(); ++i) {
      header_.command += " " + options_.arguments[i];
    }
  }

  void take(BenchResult result) {
    const bench::Row& row = result.row;
    if (!options_.json) {
      if (results_.empty()) fmt::print("{}", bench_head(header_));
      fmt::print("{}", bench_line(header_, result.scenario, row));
      if (row.wrong > 0) {
        fmt::print("  {} of {} values are wrong, first in {}\n", row.wrong, row.values,
                   row.first_wrong);
      }
      std::fflush(stdout);
    }
    wrong_ = wrong_ || row.wrong > 0;
    const double roof = roof_percent(header_, row);
    slow_ = slow_ || (options_.min_roof && std::isfinite(roof) && roof < *options_.min_roof);
    results_.push_back(std::move(result));
  }

  const Options& options_;
  Worlds& worlds_;
  const Subject& subject_;
  Memory& memory_;
  const std::unique_ptr<Timing> timing_;
  BenchHeader header_;
  std::vector<BenchResult> results_;
  bool wrong_ = false, slow_ = false, refused_ = false;
};

}  // namespace

int bench_verb(const Options& options) {
  const std::vector<bench::Shape> shapes = chosen_shapes(options);
  const Scenario base = base_scenario(options);
  Worlds worlds(options);
  std::vector<Scenario> scenarios;
  for (const bench::Shape& shape : shapes) {
    scenarios.push_back(bench::scenario_of(base, shape));
    worlds.choose_world(scenarios.back());
  }
  if (const std::optional<int> status = worlds.relaunch(scenarios)) return *status;
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  try {
    BenchTable table(options, worlds, *subject);
    for (std::size_t i = 0; i < shapes.size(); ++i) table.measure(scenarios[i], shapes[i]);
    return table.finish();
  } catch (const SubjectError& error) {
    worlds.abort_job(kFinding, error.what());
    throw;
  }
}

}  // namespace helixcheck
