// Bad usage and bad input: one sentence on standard error, status 2, nothing on standard output.

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "support/command.hpp"

namespace helixcheck {
namespace {

const std::string kCommand = HELIXCHECK_COMMAND;

// `says`: what the sentence must name.
void expect_refusal(const std::string& arguments, const std::vector<std::string>& says,
                    int status = 2) {
  const CommandResult result = run_command(kCommand + " " + arguments);
  EXPECT_EQ(result.status, status) << arguments << "\n" << result.err;
  EXPECT_EQ(result.out, "") << arguments;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << arguments << "\n"
                                                                       << result.err;
  EXPECT_EQ(result.err.rfind("helixcheck: ", 0), 0u) << result.err;
  for (const std::string& text : says) {
    EXPECT_NE(result.err.find(text), std::string::npos) << arguments << "\n" << result.err;
  }
}

TEST(BadUsage, IsNamed) {
  expect_refusal("", {"subcommand"});
  expect_refusal("fly", {"fly", "replay"});
  expect_refusal("run --no-such-flag", {"--no-such-flag"});
  expect_refusal("run no_such_scenario", {"no_such_scenario", "neither a file"});
  expect_refusal("replay -k no_such_text", {"no_such_text"});
  expect_refusal("list planets", {"planets", "models"});
  expect_refusal("run --subject tpu --ctx-len 4", {"tpu", "cpu"});
  expect_refusal("run --ctx-len 4 --contract sloppy", {"sloppy", "unknown"});
  expect_refusal("run --hang-limit 0", {"hang-limit"});
}

TEST(BadUsage, OfMutantsIsNamed) {
  expect_refusal("mutants no_such_mutant", {"no_such_mutant"});
  expect_refusal("mutants --suite fixed9", {"suite", "fixed8"});
  expect_refusal("mutants --seeds 0", {"seeds"});
  expect_refusal("mutants --cases 0", {"cases"});
  expect_refusal("mutants --class planets", {"planets", "class"});
  expect_refusal("mutants --half third", {"half", "tuning"});
  expect_refusal("mutants --memory disk", {"memory", "host", "cuda"});
  expect_refusal("mutants page_offset_int32 device_page_offset_int32",
                 {"device_page_offset_int32", "memory"});
  expect_refusal("mutants --memory cuda page_offset_int32", {"page_offset_int32", "memory"});
  expect_refusal("mutants --memory cuda --suite fixed8", {"--suite", "the search alone"});
  expect_refusal("mutants --verdict mismatch", {"mismatch", "fixed8"});
  expect_refusal("mutants --suite fixed8 --output folder", {"output"});
}

TEST(BadScenario, OnTheCommandLineIsNamed) {
  expect_refusal("run --kvp 3", {"num_heads", "32", "3"});
  expect_refusal("run --qk-rope-head-dim 63", {"qk_rope_head_dim", "63", "even"});
  expect_refusal("run --ctx-len=-1", {"ctx_len", "-1"});
  expect_refusal("run --ctx-len x", {"ctx", "x"});
  expect_refusal("run --hidden-size 99999999999999999999", {"hidden"});
  expect_refusal("run --kv-cache-dtype fp16", {"kv_cache_dtype"});
  expect_refusal("run --model gpt-2", {"gpt-2", "deepseek-v3"});
}

TEST(BadScenario, ThatNeedsTooMuchMemoryIsRefusedWithBothFigures) {
  expect_refusal("run --entry core --batch 256 --ctx-len 1048576", {"GiB", "free"});
}

TEST(BadFile, IsNamedWithPathAndRule) {
  const TemporaryFolder folder;
  struct BadFile {
    std::string name, text;
    std::vector<std::string> says;
  };
  std::string deep(200000, '[');
  const BadFile files[] = {
      {"unknown.json", R"({"schema":1,"problem":{"heads":3}})", {"problem", "heads"}},
      {"duplicate.json", R"({"schema":1,"problem":{"seed":1},"problem":{}})", {"problem", "twice"}},
      {"type.json", R"({"schema":1,"problem":{"num_heads":"many"}})", {"problem.num_heads"}},
      {"float.json", R"({"schema":1,"problem":{"num_heads":4.0}})", {"problem.num_heads"}},
      {"range.json", R"({"schema":1,"layout":{"kvp":65}})", {"layout.kvp", "65"}},
      {"newer.json", R"({"schema":2})", {"schema", "2"}},
      {"truncated.json", R"({"schema":1,"problem":{"num_)", {"truncated.json"}},
      {"binary.json", std::string("\x7f\x45\x4c\x46\0\0\xff", 7), {"binary.json"}},
      {"empty.json", "", {"empty.json"}},
      {"deep.json", deep, {"deep.json", "deep"}},
  };
  for (const BadFile& file : files) {
    std::vector<std::string> says = file.says;
    says.push_back(file.name);
    expect_refusal("run " + folder.write(file.name, file.text), says);
  }
}

}  // namespace
}  // namespace helixcheck
