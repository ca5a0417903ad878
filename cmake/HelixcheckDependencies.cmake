# Libraries from the distribution. Required ones stop the configuration with the package to install;
# optional ones switch a capability off, and the command says so when it is asked for it.

set(CMAKE_FIND_PACKAGE_SORT_ORDER NATURAL)

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)  # nlohmann-json3-dev
find_package(CLI11 2.1 REQUIRED)           # libcli11-dev
find_package(fmt 9 REQUIRED)               # libfmt-dev
find_package(SQLite3 3.25 REQUIRED)        # libsqlite3-dev

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

# AUTO: the CUDA part is built where the toolkit's compiler is found. CUDA and NCCL are no packages
# of the distribution: they are found, never installed.
set(HELIXCHECK_CUDA AUTO CACHE STRING "Build the CUDA part: ON, OFF or AUTO")
set(HELIXCHECK_CUDA_FOUND FALSE)
if(HELIXCHECK_CUDA)
  find_program(HELIXCHECK_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda
               PATH_SUFFIXES bin)
  set(HELIXCHECK_NVCC_VERSION 0)
  if(HELIXCHECK_NVCC)
    execute_process(COMMAND ${HELIXCHECK_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
    if(nvcc_says MATCHES "release ([0-9]+\\.[0-9]+)")
      set(HELIXCHECK_NVCC_VERSION ${CMAKE_MATCH_1})
    endif()
  endif()
  if(HELIXCHECK_NVCC_VERSION VERSION_GREATER_EQUAL 13)
    set(CMAKE_CUDA_COMPILER ${HELIXCHECK_NVCC})
    # Machine code for sm_80 and sm_90; newer ones (sm_100) start from the intermediate code.
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    enable_language(CUDA)
    # CMake 3.25 does not know that nvcc 13 has C++20.
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA_STANDARD 20)
    find_package(CUDAToolkit 13 REQUIRED)
    set(HELIXCHECK_CUDA_FOUND TRUE)
    find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT}
                 PATH_SUFFIXES lib lib64)
  elseif(NOT HELIXCHECK_CUDA STREQUAL AUTO)
    message(FATAL_ERROR "HELIXCHECK_CUDA is ON, but nvcc of CUDA toolkit 13 or newer is not found "
                        "(found: ${HELIXCHECK_NVCC}, version ${HELIXCHECK_NVCC_VERSION})")
  endif()
endif()
