#include "campaign/run_wire.hpp"

#include "scenario/json.hpp"

namespace helixcheck {
void pack(Packer& to, const Blame& blame) {
  to.value(blame.stage).value(blame.tap).value(blame.place).text(blame.sentence);
}

Blame unpack_blame(Unpacker& from) {
  Blame blame;
  blame.stage = from.value<std::optional<Stage>>();
  blame.tap = from.value<std::optional<Tap>>();
  blame.place = from.value<Place>();
  blame.sentence = from.text();
  return blame;
}

std::string pack(const RunOrder& order) {
  return Packer().value(order.repeat_failures).text(print_scenario(order.scenario)).take();
}

RunOrder unpack_order(const std::string& bytes) {
  Unpacker from(bytes);
  RunOrder order;
  order.repeat_failures = from.value<bool>();
  order.scenario = parse_scenario(from.text(), "a scenario for the ranks");
  return order;
}

std::string pack(const RunAnswer& answer) {
  const RunResult& result = answer.result;
  Packer to;
  to.value(answer.outcome).text(answer.message).value(answer.stage);
  to.value(result.output_hash).value(result.repeated).value(result.same_again);
  to.value(result.verdict.pass).value(result.verdict.taps.size());
  for (const TapResult& tap : result.verdict.taps) to.value(tap);
  to.value(result.verdict.blame.has_value());
  if (!result.verdict.blame) return to.take();
  pack(to, *result.verdict.blame);
  return to.take();
}

RunAnswer unpack_answer(const std::string& bytes) {
  Unpacker from(bytes);
  RunAnswer answer;
  answer.outcome = from.value<RunAnswer::Outcome>();
  answer.message = from.text();
  answer.stage = from.value<std::optional<Stage>>();
  RunResult& result = answer.result;
  result.output_hash = from.value<std::uint64_t>();
  result.repeated = from.value<bool>();
  result.same_again = from.value<bool>();
  result.verdict.pass = from.value<bool>();
  const auto taps = from.value<std::size_t>();
  for (std::size_t i = 0; i < taps; ++i) {
    result.verdict.taps.push_back(from.value<TapResult>());
  }
  if (from.value<bool>()) result.verdict.blame = unpack_blame(from);
  return answer;
}

}  // namespace helixcheck
