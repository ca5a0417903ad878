// The shapes, and the scenario behind each.

#include "bench/shapes.hpp"

#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"

namespace helixcheck::bench {
namespace {

ShapeList flashmla() {
  constexpr std::int64_t kMillion = 1048576;
  ShapeList list{"flashmla", false, {}};
  // batch, heads, ctx
  for (const auto& [batch, heads, ctx] : std::vector<std::array<std::int64_t, 3>>{
           {1, 32, 64},        {1, 16, 4096},   {1, 32, 4096},    {1, 128, 4096},
           {1, 32, 32768},     {1, 128, 32768}, {1, 128, 131072}, {1, 32, kMillion},
           {1, 128, kMillion}, {8, 32, 4096},   {8, 32, 16384},   {8, 128, 4096},
           {8, 128, 16384},    {8, 128, 65536}, {16, 16, 65536},  {16, 32, 65536},
           {16, 128, 16384},   {64, 16, 8192},  {64, 32, 8192},   {64, 64, 8192},
           {128, 16, 4096},    {128, 128, 4096}}) {
    list.shapes.push_back({batch, heads, ctx, 1});
  }
  return list;
}

ShapeList guide() {
  return {
      "guide",
      true,
      {{1, 32, 64, 2}, {1, 32, 4096, 2}, {1, 32, 32768, 2}, {8, 32, 4096, 2}, {8, 32, 16384, 2}}};
}

}  // namespace

const std::vector<ShapeList>& shape_lists() {
  static const std::vector<ShapeList> lists = {flashmla(), guide()};
  return lists;
}

const ShapeList& find_shape_list(std::string_view name) {
  std::string known;
  for (const ShapeList& list : shape_lists()) {
    if (list.name == name) return list;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", list.name);
  }
  throw InputError(fmt::format("--shapes {}: there are {}", name, known));
}

Scenario scenario_of(const Scenario& base, const Shape& shape) {
  Scenario scenario = base;
  scenario.problem.num_heads = shape.heads;
  scenario.problem.ctx_len.assign(static_cast<std::size_t>(shape.batch), shape.ctx_len - 1);
  scenario.problem.prompt = Prompt::given;
  scenario.problem.decode_steps = 1;
  scenario.problem.predicted_tokens_per_seq = 1;
  scenario.layout.kvp = shape.kvp;
  scenario.script.clear();
  scenario.name = short_name(scenario);
  if (shape.ctx_len < 1) {
    throw InputError(fmt::format(
        "--ctx-len is {}, but must be at least 1: it counts the step's new token", shape.ctx_len));
  }
  validate(scenario);
  if (scenario.problem.entry == Entry::merge || scenario.layout.tpa != 1) {
    throw InputError(
        fmt::format("bench measures entries layer and core at tpa 1, not entry {} at tpa {}",
                    name_of(scenario.problem.entry), scenario.layout.tpa));
  }
  if (scenario.problem.data.family != Family::uniform || !scenario.problem.data.heavy.empty() ||
      scenario.problem.data.lse_gap != 0 || scenario.layout.padding_rows != 0) {
    throw InputError("bench measures uniform data without planted keys, gaps and padding rows");
  }
  return scenario;
}

}  // namespace helixcheck::bench
