// The one command. Errors become one sentence on standard error and an exit status.

#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <new>
#include <string_view>

#include "options.hpp"
#include "scenario/error.hpp"

namespace {

int dispatch(const helixcheck::Options& options) {
  if (options.verb == "run") return helixcheck::run_verb(options);
  if (options.verb == "replay") return helixcheck::replay_verb(options);
  if (options.verb == "check") return helixcheck::check_verb(options);
  if (options.verb == "corpus") return helixcheck::corpus_verb(options);
  if (options.verb == "fuzz") return helixcheck::fuzz_verb(options);
  if (options.verb == "shrink") return helixcheck::shrink_verb(options);
  if (options.verb == "explain") return helixcheck::explain_verb(options);
  if (options.verb == "list") return helixcheck::list_verb(options);
  if (options.verb == "report") return helixcheck::report_verb(options);
  if (options.verb == "merge") return helixcheck::merge_verb(options);
  if (options.verb == "mutants") return helixcheck::mutants_verb(options);
  if (options.verb == "bench") return helixcheck::bench_verb(options);
  return helixcheck::doctor_verb(options);
}

// Under mpirun every rank meets the same bad input: the first one says so and fails for all.
int fail(int status, const char* sentence) {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (rank != nullptr && std::string_view(rank) != "0") return helixcheck::kPass;
  fmt::print(stderr, "helixcheck: {}\n", sentence);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace helixcheck;
  try {
    const std::optional<Options> options = parse_command_line(argc, argv);
    return options ? dispatch(*options) : kPass;
  } catch (const InputError& error) {
    return fail(kBadInput, error.what());
  } catch (const ResourceError& error) {
    return fail(kMissingResource, error.what());
  } catch (const SubjectError& error) {
    return fail(kFinding, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kMissingResource, "out of memory");
  } catch (const std::exception& error) {
    return fail(kMissingResource, error.what());
  }
}
