# Libraries from the distribution. Required ones stop the configuration with the package to install;
# optional ones switch a capability off, and the command says so when it is asked for it.

set(CMAKE_FIND_PACKAGE_SORT_ORDER NATURAL)

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)  # nlohmann-json3-dev
find_package(CLI11 2.1 REQUIRED)           # libcli11-dev
find_package(fmt 9 REQUIRED)               # libfmt-dev

if(HELIXCHECK_TESTS)
  find_package(GTest REQUIRED)       # libgtest-dev
  find_package(rapidcheck REQUIRED)  # librapidcheck-dev
  include(GoogleTest)
endif()

option(HELIXCHECK_MPI "Build the MPI world when Open MPI is found" ON)
if(HELIXCHECK_MPI)
  find_package(MPI COMPONENTS CXX)  # libopenmpi-dev
endif()
if(HELIXCHECK_BENCHMARKS)
  find_package(benchmark)  # libbenchmark-dev
endif()
