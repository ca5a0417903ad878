// The reader: what it takes, and a table of broken texts that it must refuse with path and rule.
// Damaged and truncated texts must never do anything else than be refused.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "scenario/error.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

Scenario parse(const std::string& blocks) {
  return parse_scenario(R"({"schema": 1, )" + blocks + "}", "file.json");
}

Problem parse_problem(const std::string& fields) {
  return parse(R"("problem": {)" + fields + "}").problem;
}

// The message of the refusal; "accepted" if there is none.
std::string refusal(const std::string& text) {
  try {
    parse_scenario(text, "file.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ParseScenario, BatchRepeatsOneLength) {
  EXPECT_EQ(parse_problem("").ctx_len, (std::vector<std::int64_t>{1024}));
  EXPECT_EQ(parse_problem(R"("batch": 3)").ctx_len, (std::vector<std::int64_t>{1024, 1024, 1024}));
  EXPECT_EQ(parse_problem(R"("ctx_len": 7)").ctx_len, (std::vector<std::int64_t>{7}));
  EXPECT_EQ(parse_problem(R"("ctx_len": 7, "batch": 2)").ctx_len,
            (std::vector<std::int64_t>{7, 7}));
  EXPECT_EQ(parse_problem(R"("ctx_len": [7, 8])").ctx_len, (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(parse_problem(R"("ctx_len": [7, 8], "batch": 2)").ctx_len,
            (std::vector<std::int64_t>{7, 8}));
}

TEST(ParseScenario, RopeScalingMayBeNone) {
  for (const std::string none : {"null", "false"}) {
    EXPECT_FALSE(parse_problem(R"("model": "deepseek-v3", "rope_scaling": )" + none)
                     .rope_scaling.has_value());
  }
  const auto scaling =
      parse_problem(R"("rope_scaling": {"type": "yarn", "factor": 8})").rope_scaling;
  ASSERT_TRUE(scaling.has_value());
  EXPECT_EQ(scaling->factor, 8);
  EXPECT_EQ(scaling->beta_fast, 32);
}

TEST(ParseScenario, TellsAbsentNullAndZeroMscaleApart) {
  const auto mscale = [](const std::string& field) {
    return parse_problem(R"("rope_scaling": {"type": "yarn")" + field + "}").rope_scaling->mscale;
  };
  EXPECT_EQ(mscale(""), 1.0);
  EXPECT_EQ(mscale(R"(, "mscale": null)"), std::nullopt);
  EXPECT_EQ(mscale(R"(, "mscale": 0)"), 0.0);
}

TEST(ParseScenario, OtherFieldsOverrideTheModelWhateverTheOrder) {
  const Problem p = parse_problem(R"("num_heads": 16, "model": "kimi-k2", "ctx_len": 5)");
  EXPECT_EQ(p.hidden_size, 7168);
  EXPECT_EQ(p.num_heads, 16);
  EXPECT_EQ(p.ctx_len, (std::vector<std::int64_t>{5}));
}

TEST(ParseScenario, TakesSeedsAsTextOrInteger) {
  EXPECT_EQ(parse_problem(R"("data": {"seed": 7})").data.seed, 7u);
  EXPECT_EQ(parse_problem(R"("data": {"seed": "7"})").data.seed, 7u);
  EXPECT_EQ(parse_problem(R"("data": {"seed": 18446744073709551615})").data.seed,
            ~std::uint64_t{0});
}

TEST(ParseScenario, TakesIntegersWhereNumbersAreWanted) {
  EXPECT_EQ(parse_problem(R"("rope_theta": 50000)").rope_theta, 5e4);
}

struct BadText {
  std::string text;
  std::string message;  // after "file.json: ", a part of it
};

void PrintTo(const BadText& bad, std::ostream* out) {
  *out << bad.text.substr(0, 80);
}

class BadTexts : public testing::TestWithParam<BadText> {};

TEST_P(BadTexts, AreRefusedWithPathAndRule) {
  const std::string message = refusal(GetParam().text);
  EXPECT_EQ(message.find("file.json: "), 0u) << message;
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_LT(message.size(), 300u);
}

std::string in_problem(const std::string& fields) {
  return R"({"schema": 1, "problem": {)" + fields + "}}";
}
std::string in_script(const std::string& step) {
  return R"({"schema": 1, "script": [{"do": "join"}, )" + step + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    NoObject, BadTexts,
    testing::Values(
        BadText{"", "empty"}, BadText{" \n\t", "empty"}, BadText{"{", "not valid JSON"},
        BadText{"hello", "not valid JSON"}, BadText{"batch: 4", "not valid JSON"},
        BadText{R"({"schema": 1)", "line 1, column"}, BadText{R"({"schema": 1,})", "not valid"},
        BadText{R"({"schema": 1} {})", "not valid JSON"}, BadText{R"({"schema": 1}x)", "not valid"},
        BadText{R"({'schema': 1})", "not valid JSON"}, BadText{R"({"schema": 01})", "not valid"},
        BadText{R"({"schema": +1})", "not valid JSON"}, BadText{R"({"schema": NaN})", "not valid"},
        BadText{"{\"schema\": 1, \"name\": \"\xff\xfe\"}", "not valid JSON"},
        BadText{std::string("\x7f"
                            "ELF\x02\x01\0\0",
                            8),
                "not valid JSON"},
        BadText{std::string(100, '\0'), "not valid JSON"}, BadText{"[]", "must be an object"},
        BadText{"1", "is 1, but it must be an object"}, BadText{"null", "must be an object"},
        BadText{"{}", "has no \"schema\""}, BadText{R"({"schema": "1"})", "schema is \"1\""},
        BadText{R"({"schema": 2})", "schema 2 is newer than 1, the newest this version reads"},
        BadText{R"({"schema": 2, "unheard": []})", "schema 2 is newer"},
        BadText{R"({"schema": 0})", "schema is 0"}, BadText{R"({"schema": 1.0})", "schema is 1.0"},
        BadText{R"({"schema": 1, "schema": 1})", "schema is given twice"},
        BadText{std::string(200000, '['), "nested deeper than 32"},
        BadText{R"({"schema": 1, "name": )" + std::string(40, '['), "nested deeper than 32"},
        BadText{std::string((1 << 20) + 1, ' '), "longer than 1048576 bytes"}));

INSTANTIATE_TEST_SUITE_P(
    Names, BadTexts,
    testing::Values(BadText{R"({"schema": 1, "problems": {}})",
                            "problems is no known field; did you mean "
                            "problem?"},
                    BadText{R"({"schema": 1, "kvp": 2})", "kvp is no known field"},
                    BadText{in_problem(R"("num_head": 4)"),
                            "problem.num_head is no known field; did you mean "
                            "num_heads?"},
                    BadText{in_problem(R"("Batch": 4)"), "did you mean batch?"},
                    BadText{in_problem(R"("": 4)"), "problem. is no known field"},
                    BadText{in_problem("\"" + std::string(5000, 'x') + "\": 4"), "problem.xxx"},
                    BadText{in_problem(R"("a\nb": 4)"), R"(problem.a\u000ab is no known field)"},
                    BadText{in_problem(R"("batch": 1, "batch": 2)"),
                            "problem.batch is given twice"},
                    BadText{in_problem(R"("data": {"seed": 1, "seed": 1})"),
                            "problem.data.seed is given twice"},
                    BadText{in_problem(R"("data": {"heavy": [{}, {"head": 1, "head": 2}]})"),
                            "problem.data.heavy[1].head is given twice"},
                    BadText{in_problem(R"("rope_scaling": {"type": "yarn", "fator": 2})"),
                            "problem.rope_scaling.fator is no known field; did you mean factor?"},
                    BadText{in_problem(R"("data": {"heavy": [{"rank": 1}]})"),
                            "problem.data.heavy[0].rank is no known field"},
                    BadText{in_script(R"({"do": "decode", "token": [1]})"),
                            "script[1].token is no known field; did you mean tokens?"}));

INSTANTIATE_TEST_SUITE_P(
    Types, BadTexts,
    testing::Values(
        BadText{R"({"schema": 1, "name": 3})", "name is 3, but it must be a text"},
        BadText{R"({"schema": 1, "labels": "slow"})",
                "labels is \"slow\", but it must be an array"},
        BadText{R"({"schema": 1, "labels": ["slow", 1]})", "labels[1] is 1"},
        BadText{R"({"schema": 1, "problem": []})", "problem is an array, but it must be an object"},
        BadText{R"({"schema": 1, "layout": null})", "layout is null"},
        BadText{R"({"schema": 1, "script": {}})", "script is an object, but it must be an array"},
        BadText{in_problem(R"("num_heads": 4.0)"),
                "problem.num_heads is 4.0, but it must be an "
                "integer"},
        BadText{in_problem(R"("num_heads": 1e2)"), "problem.num_heads is 1e2"},
        BadText{in_problem(R"("num_heads": "32")"), "problem.num_heads is \"32\""},
        BadText{in_problem(R"("num_heads": true)"), "problem.num_heads is true"},
        BadText{in_problem(R"("num_heads": null)"), "problem.num_heads is null"},
        BadText{in_problem(R"("num_heads": [32])"), "problem.num_heads is an array"},
        BadText{in_problem(R"("num_heads": 18446744073709551616)"), "is 18446744073709551616, but"},
        BadText{in_problem(R"("num_heads": 9223372036854775808)"), "is 9223372036854775808, but"},
        BadText{in_problem(R"("rope_theta": "1e4")"), "problem.rope_theta is \"1e4\""},
        BadText{in_problem(R"("rope_theta": "inf")"), "must be a finite number"},
        BadText{in_problem(R"("rope_theta": 1e999)"), "not valid JSON"},
        BadText{in_problem(R"("rope_interleave": 1)"), "must be true or false"},
        BadText{in_problem(R"("softmax_scale": false)"), "must be a finite number or null"},
        BadText{in_problem(R"("dtype": "bf61")"),
                "problem.dtype is \"bf61\", but it must be one of "
                "fp32, fp16, bf16, fp8_e4m3"},
        BadText{in_problem(R"("dtype": 2)"), "problem.dtype is 2"},
        BadText{in_problem(R"("model": "gpt-2")"), "problem.model: unknown model \"gpt-2\""},
        BadText{in_problem(R"("data": {"seed": -1})"), "problem.data.seed is -1"},
        BadText{in_problem(R"("data": {"seed": 1.5})"), "problem.data.seed is 1.5"},
        BadText{in_problem(R"("data": {"seed": "0x10"})"), "problem.data.seed is \"0x10\""},
        BadText{in_problem(R"("data": {"seed": "18446744073709551616"})"), "problem.data.seed"},
        BadText{
            in_problem(R"("data": {"heavy": [{"head": 3000000000}]})"),
            "problem.data.heavy[0].head is 3000000000, but it must be an integer of at most 32"},
        BadText{in_problem(R"("rope_scaling": true)"), "problem.rope_scaling is true"},
        BadText{in_problem(R"("rope_scaling": {"factor": 2})"), "\"type\": \"yarn\""},
        BadText{in_problem(R"("rope_scaling": {"type": "linear"})"), "\"type\": \"yarn\""}));

INSTANTIATE_TEST_SUITE_P(
    Batch, BadTexts,
    testing::Values(BadText{in_problem(R"("batch": 0)"),
                            "problem.batch is 0, but it must be between 1 and 4096"},
                    BadText{in_problem(R"("batch": -1)"), "problem.batch is -1"},
                    BadText{in_problem(R"("batch": 1000000000000000000)"),
                            "must be between 1 and 4096"},
                    BadText{in_problem(R"("batch": 2.0)"), "problem.batch is 2.0"},
                    BadText{in_problem(R"("batch": [1])"), "problem.batch is an array"},
                    BadText{in_problem(R"("batch": 3, "ctx_len": [1, 2])"),
                            "problem.ctx_len lists 2 lengths, but batch is 3"},
                    BadText{in_problem(R"("ctx_len": [1, "2"])"), "problem.ctx_len[1] is \"2\""},
                    BadText{in_problem(R"("ctx_len": "64")"), "problem.ctx_len is \"64\""},
                    BadText{in_problem(R"("ctx_len": {})"), "problem.ctx_len is an object"}));

INSTANTIATE_TEST_SUITE_P(
    Script, BadTexts,
    testing::Values(BadText{in_script("1"), "script[1] is 1, but it must be an object"},
                    BadText{in_script("{}"), "script[1] has no \"do\""},
                    BadText{in_script(R"({"requests": [0]})"), "script[1] has no \"do\""},
                    BadText{in_script(R"({"do": "dekode"})"),
                            "script[1].do is \"dekode\", but it must be one of "
                            "join, decode"},
                    BadText{in_script(R"({"do": "decode", "requests": 0})"),
                            "script[1].requests is 0"},
                    BadText{in_script(R"({"do": "decode", "tokens": [1, 1.5]})"),
                            "script[1].tokens[1] is 1.5"}));

std::string in_provenance(const std::string& fields) {
  return R"({"schema": 1, "provenance": {)" + fields + "}}";
}
std::string in_before(const std::string& scenario) {
  return R"({"schema": 1, "before": [{}, )" + scenario + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadTexts,
    testing::Values(
        BadText{R"({"schema": 1, "provenance": "found"})",
                "provenance is \"found\", but it must be"},
        BadText{in_provenance(R"("author": "me")"), "provenance.author is no known field"},
        BadText{in_provenance(R"("comit": "1")"), "no known field; did you mean commit?"},
        BadText{in_provenance(R"("property": 3)"),
                "provenance.property is 3, but it must be a text"},
        BadText{in_provenance(R"("date": "a", "date": "b")"), "provenance.date is given twice"},
        BadText{R"({"schema": 1, "before": {}})", "before is an object, but it must be an array"},
        BadText{in_before("1"), "before[1] is 1, but it must be an object"},
        BadText{in_before(R"({"schema": 1})"), "before[1].schema is no known field"},
        BadText{in_before(R"({"name": "x"})"), "before[1].name is no known field"},
        BadText{in_before(R"({"before": []})"), "before[1].before is no known field"},
        BadText{in_before(R"({"problem": {"num_head": 4}})"), "before[1].problem.num_head is no"},
        BadText{in_before(R"({"script": [{"do": "dekode"}]})"), "before[1].script[0].do is"}));

TEST(ParseScenarioFile, HoldsNothingButTheScenarioWhereNothingElseIsSaid) {
  const ScenarioFile file = parse_scenario_file(R"({"schema": 1})", "file.json");
  EXPECT_TRUE(file.before.empty());
  EXPECT_EQ(file.provenance, Provenance{});
}

TEST(ParseScenarioFile, ReadsWhatBelongsToAFinding) {
  const ScenarioFile file = parse_scenario_file(R"({"schema": 1, "problem": {"ctx_len": 3},
      "before": [{"layout": {"kvp": 4}}, {"problem": {"batch": 2}}],
      "provenance": {"signature": "ranks/cpu/relation/-", "property": "ranks"}})",
                                                "file.json");
  EXPECT_EQ(file.scenario.problem.ctx_len, (std::vector<std::int64_t>{3}));
  ASSERT_EQ(file.before.size(), 2u);
  EXPECT_EQ(file.before[0].layout.kvp, 4);
  EXPECT_EQ(file.before[1].problem.batch(), 2);
  EXPECT_EQ(file.provenance.property, "ranks");
  EXPECT_EQ(file.provenance.signature, "ranks/cpu/relation/-");
  EXPECT_EQ(file.provenance.date, "");
}

// Whatever the bytes, the reader accepts or refuses, and what it accepts has a text.
TEST(ParseScenario, SurvivesDamagedText) {
  const std::string whole = print_scenario(parse(R"("name": "x", "labels": ["a"],
      "problem": {"ctx_len": [3, 4], "rope_scaling": {"type": "yarn", "mscale": null},
                  "data": {"seed": "9007199254740993", "heavy": [{"place": "newest"}]}},
      "layout": {"kvp": 4}, "script": [{"do": "decode", "requests": [0], "tokens": [8]}])"));
  std::mt19937_64 engine(7);
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string text = whole;
    for (std::uint64_t edits = 1 + engine() % 3; edits > 0; --edits) {
      const std::size_t place = engine() % text.size();
      if (engine() % 4 == 0) text.resize(place + 1);
      if (engine() % 2 == 0) {
        text[place] = static_cast<char>(engine());
      } else {
        text.insert(place, text.substr(engine() % text.size(), engine() % 30));
      }
    }
    if (refusal(text) != "accepted") continue;
    ++accepted;
    const Scenario read = parse_scenario(text, "damaged");
    EXPECT_EQ(parse_scenario(print_scenario(read), "again"), read);
  }
  EXPECT_GT(accepted, 10);
  EXPECT_LT(accepted, 3000);
}

TEST(ParseScenario, RefusesEveryTruncation) {
  const std::string whole = print_scenario(parse(R"("problem": {"ctx_len": [3, 4]})"));
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
  }
}

class LoadScenario : public testing::Test {
 protected:
  LoadScenario()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("load_scenario_" + std::string(test_name()))) {
    std::filesystem::create_directories(folder_);
  }
  ~LoadScenario() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  static std::string message(const std::filesystem::path& file) {
    try {
      load_scenario(file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }
  static const char* test_name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  std::filesystem::path folder_;
};

TEST_F(LoadScenario, TakesTheNameFromTheFile) {
  EXPECT_EQ(load_scenario(write("small.json", R"({"schema": 1})")).name, "small");
  EXPECT_EQ(load_scenario(write("b.json", R"({"schema": 1, "name": "mine"})")).name, "mine");
}

TEST_F(LoadScenario, FindsTensorsBesideTheFile) {
  const auto tensors = [this](const std::string& value) {
    return load_scenario(write("t.json", R"({"schema": 1, "problem": {"data": {"tensors": ")" +
                                             value + "\"}}}"))
        .problem.data.tensors;
  };
  EXPECT_EQ(tensors("../golden/g.safetensors#case3"),
            (folder_.parent_path() / "golden/g.safetensors").string() + "#case3");
  EXPECT_EQ(tensors("g.safetensors"), (folder_ / "g.safetensors").string());
  EXPECT_EQ(tensors("/absolute/g.safetensors"), "/absolute/g.safetensors");
}

TEST_F(LoadScenario, RefusesInvalidScenariosUnderTheFileName) {
  const auto file = write("odd.json", R"({"schema": 1, "problem": {"num_heads": 31}})");
  EXPECT_EQ(message(file),
            file.string() +
                ": problem.num_heads is 31, but it must be divisible by layout.kvp x "
                "layout.tpa = 2");
}

TEST_F(LoadScenario, NamesTheInvalidScenarioAmongThoseBefore) {
  const auto file =
      write("odd.json", R"({"schema": 1, "before": [{}, {"problem": {"num_heads": 31}}]})");
  EXPECT_EQ(message(file).rfind(file.string() + ": before[1]: problem.num_heads is 31", 0), 0u)
      << message(file);
}

TEST_F(LoadScenario, FindsTheTensorsOfThoseBeforeBesideTheFile) {
  const auto file =
      write("t.json",
            R"({"schema": 1, "before": [{"problem": {"data": {"tensors": "g.safetensors"}}}]})");
  EXPECT_EQ(load_scenario_file(file).before.at(0).problem.data.tensors,
            (folder_ / "g.safetensors").string());
}

TEST_F(LoadScenario, RefusesWhatIsNoFile) {
  EXPECT_EQ(message(folder_ / "none.json"), (folder_ / "none.json").string() + ": cannot be read");
  EXPECT_NE(message(folder_).find("is a folder"), std::string::npos);
  EXPECT_NE(message(write("empty.json", "")).find("empty"), std::string::npos);
  EXPECT_NE(message(write("large.json", std::string(3 << 20, ' '))).find("longer than"),
            std::string::npos);
}

}  // namespace
}  // namespace helixcheck
