# Shared by tools/quickstart, tools/test and .ci/run, which source it (POSIX sh): finds and installs
# what is missing, configures and builds. Quiet: one line a phase on stderr; what the tools print
# goes to a log, whose end is shown if they fail. Exit status 3: the machine lacks something.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

say() { printf 'helixcheck: %s\n' "$*" >&2; }

# phase LOG LABEL COMMAND...: runs the command into the log and prints the label with its seconds.
phase() {
  log=$1 label=$2
  shift 2
  begin=$(date +%s)
  printf 'helixcheck: %s ... ' "$label" >&2
  if "$@" >"$log" 2>&1; then
    printf '%s s\n' "$(($(date +%s) - begin))" >&2
    return 0
  fi
  printf 'failed after %s s; the last lines of %s:\n' "$(($(date +%s) - begin))" "$log" >&2
  tail -n 40 "$log" >&2
  return 1
}

# Lines "COMMAND PACKAGE" and "HEADER PACKAGE": what is not found is missing, however it got there.
commands='g++ g++
cmake cmake
ninja ninja-build
mpicxx libopenmpi-dev
mpirun openmpi-bin'
headers='gtest/gtest.h libgtest-dev
rapidcheck.h librapidcheck-dev
nlohmann/json.hpp nlohmann-json3-dev
CLI/CLI.hpp libcli11-dev
fmt/format.h libfmt-dev
sqlite3.h libsqlite3-dev
benchmark/benchmark.h libbenchmark-dev'

# Prints the missing packages, by their names in Debian and Ubuntu.
missing_packages() {
  echo "$commands" | while read -r command package; do
    command -v "$command" >/dev/null || echo "$package"
  done
  if command -v g++ >/dev/null; then
    echo "$headers" | while read -r header package; do
      printf '#if !__has_include(<%s>)\n%s\n#endif\n' "$header" "$package"
    done | g++ -std=c++20 -E -P -x c++ - | sed '/^$/d'
  else
    echo "$headers" | sed 's/.* //'
  fi
}

# as_root COMMAND...: as root, or through a sudo that asks nothing.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
  for attempt in known updated; do
    [ "$attempt" = known ] || as_root apt-get -qq update || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
      install -y --no-install-recommends "$@" && return 0
  done
  return 1
}

# install_packages PACKAGE...: installs them, or says how and ends with status 3.
install_packages() {
  [ $# -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "missing: $*"
    say "these are their names in Debian and Ubuntu; install them and start again"
    exit 3
  fi
  if ! as_root true 2>/dev/null; then
    say "missing: $*"
    say "install them and start again: sudo apt-get install -y $*"
    exit 3
  fi
  mkdir -p build
  phase build/packages.log "installing $*" apt_install "$@" || exit 3
}

# build_preset PRESET: installs what is missing, configures and builds into build/PRESET.
build_preset() {
  # shellcheck disable=SC2046
  install_packages $(missing_packages)
  mkdir -p "build/$1"
  phase "build/$1/configure.log" "configuring build/$1" cmake --preset "$1" || exit 2
  phase "build/$1/build.log" "building build/$1" cmake --build --preset "$1" || exit 2
}

# gpu_ready COMMAND: whether this build and this machine can run the CUDA subject.
gpu_ready() {
  "$1" doctor | grep -q '^subject cuda  *ready'
}
