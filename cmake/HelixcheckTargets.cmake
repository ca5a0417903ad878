# Common settings and the two functions by which every room declares itself.

option(HELIXCHECK_TESTS "Build the tests (GoogleTest)" ON)
option(HELIXCHECK_BENCHMARKS "Build the benchmarks (Google Benchmark)" ON)
option(HELIXCHECK_MUTANTS "Build the planted faults (lib/subject/mutants)" ON)
option(HELIXCHECK_FUZZ "Build tools/fuzz as libFuzzer targets (clang)" OFF)
set(HELIXCHECK_SANITIZE "" CACHE STRING "Sanitizers for every target, such as address,undefined")

if(HELIXCHECK_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "HELIXCHECK_FUZZ is ON, but libFuzzer needs clang and the compiler is "
                      "${CMAKE_CXX_COMPILER_ID}")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE -O2)  # assertions stay on: campaigns run this build

add_library(helixcheck_settings INTERFACE)
target_include_directories(helixcheck_settings INTERFACE ${PROJECT_SOURCE_DIR}/lib)
# Contraction to fused multiply-add would change result bits from machine to machine.
target_compile_options(helixcheck_settings INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Werror;-ffp-contract=off;-fno-math-errno;-Wno-psabi>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Wall,-Wextra,-Wno-psabi;--expt-relaxed-constexpr>")
if(HELIXCHECK_SANITIZE)
  target_compile_options(helixcheck_settings INTERFACE -fsanitize=${HELIXCHECK_SANITIZE}
                                                       -fno-omit-frame-pointer)
  target_link_options(helixcheck_settings INTERFACE -fsanitize=${HELIXCHECK_SANITIZE})
endif()

find_program(HELIXCHECK_CCACHE ccache)
if(HELIXCHECK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HELIXCHECK_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${HELIXCHECK_CCACHE})
endif()

# helixcheck_library(<room> SOURCES ... [USES ...]): static library helixcheck_<room>; USES names
# the rooms it may include from.
function(helixcheck_library room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBRARIES")
  add_library(helixcheck_${room} STATIC ${arg_SOURCES})
  target_link_libraries(helixcheck_${room} PUBLIC helixcheck_settings)
  foreach(used IN LISTS arg_USES)
    target_link_libraries(helixcheck_${room} PUBLIC helixcheck_${used})
  endforeach()
  target_link_libraries(helixcheck_${room} PRIVATE ${arg_LIBRARIES})
endfunction()

# helixcheck_kernels(<file>... [AVX2 <file>...]): files of the calling room that hold hot loops.
# They are unrolled in every build type; the AVX2 ones are chosen at run time, so that binaries run
# on any x86-64 machine, and are empty elsewhere.
function(helixcheck_kernels)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "AVX2")
  set_source_files_properties(${arg_UNPARSED_ARGUMENTS} PROPERTIES COMPILE_OPTIONS -O3)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set_source_files_properties(${arg_AVX2} PROPERTIES COMPILE_OPTIONS "-O3;-mavx2")
  endif()
endfunction()
