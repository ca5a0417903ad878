// Stands in for the MPI side in a build without MPI: says what is missing.

#include "scenario/error.hpp"
#include "world/mpi.hpp"

namespace helixcheck::mpi {
namespace {

constexpr const char* kMissing =
    "this build has no MPI: install libopenmpi-dev (Debian, Ubuntu) and configure again";

}  // namespace

struct Session::Impl {};

bool available() {
  return false;
}
std::string library() {
  return kMissing;
}
bool inside_job() {
  return false;
}

Session::Session(std::chrono::seconds) {
  throw ResourceError(kMissing);
}
Session::~Session() = default;
int Session::rank() const {
  throw ResourceError(kMissing);
}
int Session::size() const {
  throw ResourceError(kMissing);
}
std::unique_ptr<World> Session::make_world(int, int, TransportKind) {
  throw ResourceError(kMissing);
}
std::vector<std::string> Session::exchange_texts(const std::string&) {
  throw ResourceError(kMissing);
}
void Session::abort(int, const std::string&) {
  throw ResourceError(kMissing);
}

int launch(int, const std::vector<std::string>&) {
  throw ResourceError(kMissing);
}

}  // namespace helixcheck::mpi
