# Apache ECharts, the charting library of `helixcheck report`, from its npm package: downloaded once
# a user, checked against its hash, and compiled into the command. Pages carry it, so that they need
# no network; without it they have tables only and say why.
#
# Sets HELIXCHECK_ECHARTS_FOLDER (echarts.min.js and notices.txt, both empty without the library)
# and HELIXCHECK_ECHARTS_MISSING (a sentence, "" with it).

set(HELIXCHECK_ECHARTS AUTO CACHE STRING
    "Plots in reports: AUTO (download), OFF, or a path: echarts-5.6.0.tgz or its echarts.min.js")

set(echarts_version 5.6.0)
set(echarts_url https://registry.npmjs.org/echarts/-/echarts-${echarts_version}.tgz)
set(echarts_package_hash
    a136d54ec5df2ae121c5fb47a8be71a6b80ba1cd24eee49c030b6bc8281617a84f6052d1c0e50788598718204a3f934f14d903568a4e89ec94a98187f056b790)
set(echarts_script_hash
    5d299b5f79a1ac3da2c797d73d34506f61702b6dac44c5504e904fd9a73c857ec387feb4e610364037a0556880bd93e25c8c4e57409b9265231a2a270e96c29b)
set(HELIXCHECK_ECHARTS_FOLDER ${PROJECT_BINARY_DIR}/echarts-${echarts_version})
set(HELIXCHECK_ECHARTS_MISSING "")

# Whether the file is there and is the one that was tried.
function(helixcheck_is_file file hash result)
  set(${result} FALSE PARENT_SCOPE)
  if(EXISTS ${file} AND NOT IS_DIRECTORY ${file})
    file(SHA512 ${file} found)
    if(found STREQUAL hash)
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

# The package, from an earlier build's download or a new one. EXPECTED_HASH would end the
# configuration where there is no network.
function(helixcheck_download_echarts result)
  set(cache ${PROJECT_BINARY_DIR})
  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache $ENV{XDG_CACHE_HOME}/helixcheck)
  elseif(NOT "$ENV{HOME}" STREQUAL "")
    set(cache $ENV{HOME}/.cache/helixcheck)
  endif()
  set(package ${cache}/echarts-${echarts_version}.tgz)
  set(${result} ${package} PARENT_SCOPE)
  helixcheck_is_file(${package} ${echarts_package_hash} ready)
  if(ready)
    return()
  endif()
  string(RANDOM LENGTH 8 part)
  set(part ${PROJECT_BINARY_DIR}/echarts-${part}.part)
  message(STATUS "Downloading ${echarts_url}")
  file(DOWNLOAD ${echarts_url} ${part} INACTIVITY_TIMEOUT 15 TIMEOUT 120 STATUS status)
  helixcheck_is_file(${part} ${echarts_package_hash} ready)
  if(ready)
    execute_process(COMMAND ${CMAKE_COMMAND} -E make_directory ${cache} ERROR_QUIET)
    execute_process(COMMAND ${CMAKE_COMMAND} -E copy ${part} ${package} RESULT_VARIABLE failed
                    ERROR_QUIET)
    if(failed)  # a home that cannot be written
      set(package ${PROJECT_BINARY_DIR}/echarts-${echarts_version}.tgz)
      file(COPY_FILE ${part} ${package})
      set(${result} ${package} PARENT_SCOPE)
    endif()
  else()
    list(GET status 1 reason)
    string(REPLACE "\"" "" reason "${reason}")
    if(reason MATCHES "No error")
      set(reason "the file has another hash")
    endif()
    set(${result} "" PARENT_SCOPE)
    set(download_failed "${reason}" PARENT_SCOPE)
  endif()
  file(REMOVE ${part})
endfunction()

# The two files that are compiled in, from the package or from the script alone.
function(helixcheck_unpack_echarts source)
  set(folder ${HELIXCHECK_ECHARTS_FOLDER})
  helixcheck_is_file(${source} ${echarts_package_hash} is_package)
  set(script ${source})
  set(notices "Apache ECharts ${echarts_version}, Apache License 2.0.\n")
  if(is_package)
    file(ARCHIVE_EXTRACT INPUT ${source} DESTINATION ${folder}
         PATTERNS package/dist/echarts.min.js package/NOTICE package/licenses/LICENSE-d3)
    set(script ${folder}/package/dist/echarts.min.js)
    file(READ ${folder}/package/NOTICE notice)
    file(READ ${folder}/package/licenses/LICENSE-d3 d3)
    string(APPEND notices "\n${notice}\n\nParts of it come from d3.js:\n\n${d3}")
  endif()
  helixcheck_is_file(${script} ${echarts_script_hash} is_script)
  if(is_script)
    file(WRITE ${folder}/notices.txt "${notices}")
    file(COPY_FILE ${script} ${folder}/echarts.min.js ONLY_IF_DIFFERENT)
  endif()
endfunction()

helixcheck_is_file(${HELIXCHECK_ECHARTS_FOLDER}/echarts.min.js ${echarts_script_hash} echarts_ready)
if(NOT HELIXCHECK_ECHARTS)
  set(HELIXCHECK_ECHARTS_MISSING "the command was built with HELIXCHECK_ECHARTS=OFF")
elseif(NOT HELIXCHECK_ECHARTS STREQUAL AUTO)
  helixcheck_unpack_echarts(${HELIXCHECK_ECHARTS})
elseif(NOT echarts_ready)
  helixcheck_download_echarts(echarts_package)
  if(echarts_package)
    helixcheck_unpack_echarts(${echarts_package})
  else()
    set(HELIXCHECK_ECHARTS_MISSING
        "${echarts_url} could not be downloaded when the command was built: ${download_failed}")
  endif()
endif()

if(NOT HELIXCHECK_ECHARTS_MISSING)
  helixcheck_is_file(${HELIXCHECK_ECHARTS_FOLDER}/echarts.min.js ${echarts_script_hash}
                     echarts_ready)
  if(NOT echarts_ready)
    set(HELIXCHECK_ECHARTS_MISSING
        "${HELIXCHECK_ECHARTS} is neither echarts-${echarts_version}.tgz nor its echarts.min.js")
  endif()
endif()
if(HELIXCHECK_ECHARTS_MISSING)
  file(WRITE ${HELIXCHECK_ECHARTS_FOLDER}/echarts.min.js "")
  file(WRITE ${HELIXCHECK_ECHARTS_FOLDER}/notices.txt "")
  if(HELIXCHECK_ECHARTS)
    message(WARNING "helixcheck report will draw no plots: ${HELIXCHECK_ECHARTS_MISSING}. "
                    "Without network, give -DHELIXCHECK_ECHARTS=<the package or the script>.")
  endif()
endif()
