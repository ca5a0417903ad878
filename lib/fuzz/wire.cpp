#include "fuzz/wire.hpp"

#include "campaign/run_wire.hpp"
#include "process/packing.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

template <typename T, typename PackOne>
void pack_all(Packer& to, const std::vector<T>& items, PackOne pack_one) {
  to.value(items.size());
  for (const T& item : items) pack_one(item);
}

template <typename T, typename UnpackOne>
std::vector<T> unpack_all(Unpacker& from, UnpackOne unpack_one) {
  std::vector<T> items;
  for (auto left = from.value<std::size_t>(); left > 0; --left) items.push_back(unpack_one());
  return items;
}

void pack(Packer& to, const Scenario& scenario) {
  to.text(print_scenario(scenario));
}
Scenario unpack_scenario(Unpacker& from) {
  return parse_scenario(from.text(), "a message between processes");
}

void pack(Packer& to, const Discovery& discovery) {
  const std::vector<std::uint8_t> bytes = to_bytes(discovery.genome);
  to.text({bytes.begin(), bytes.end()}).text(discovery.reason);
  pack_all(to, discovery.taps,
           [&](const TapResult& tap) { to.value(tap.tap).value(tap.worst_ratio); });
}
Discovery unpack_discovery(Unpacker& from) {
  Discovery discovery;
  const std::string bytes = from.text();
  discovery.genome = genome_of({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  discovery.reason = from.text();
  discovery.taps = unpack_all<TapResult>(from, [&] {
    TapResult tap;
    tap.tap = from.value<Tap>();
    tap.worst_ratio = from.value<double>();
    return tap;
  });
  return discovery;
}

void pack(Packer& to, const Signature& signature) {
  to.text(signature.property).text(signature.subject).text(signature.kind).text(signature.stage);
}
Signature unpack_signature(Unpacker& from) {
  Signature signature;
  signature.property = from.text();
  signature.subject = from.text();
  signature.kind = from.text();
  signature.stage = from.text();
  return signature;
}

void pack(Packer& to, const Failure& failure) {
  to.text(failure.kind).value(failure.varied.has_value());
  pack(to, failure.blame);
  if (failure.varied) pack(to, *failure.varied);
}
Failure unpack_failure(Unpacker& from) {
  Failure failure;
  failure.kind = from.text();
  const bool varied = from.value<bool>();
  failure.blame = unpack_blame(from);
  if (varied) failure.varied = unpack_scenario(from);
  return failure;
}

void pack(Packer& to, const FailedRun& run) {
  to.value(run.index).text(run.origin).text(run.property);
  pack(to, run.scenario);
  pack(to, run.failure);
  pack(to, run.signature);
  pack_all(to, run.before, [&](const Scenario& scenario) { pack(to, scenario); });
}
FailedRun unpack_failed_run(Unpacker& from) {
  FailedRun run;
  run.index = from.value<std::uint64_t>();
  run.origin = from.text();
  run.property = from.text();
  run.scenario = unpack_scenario(from);
  run.failure = unpack_failure(from);
  run.signature = unpack_signature(from);
  run.before = unpack_all<Scenario>(from, [&] { return unpack_scenario(from); });
  return run;
}

void pack(Packer& to, const KeptCase& kept) {
  pack(to, kept.discovery);
  to.value(kept.index).text(kept.property).text(kept.scenario);
}
KeptCase unpack_kept_case(Unpacker& from) {
  KeptCase kept;
  kept.discovery = unpack_discovery(from);
  kept.index = from.value<std::uint64_t>();
  kept.property = from.text();
  kept.scenario = from.text();
  return kept;
}

void pack(Packer& to, const CaseRecord& record) {
  to.value(record.index).text(record.time).text(record.property).text(record.status);
  to.text(record.origin).text(record.tap).value(record.ratio).value(record.seconds);
  to.text(record.scenario);
}
CaseRecord unpack_case_record(Unpacker& from) {
  CaseRecord record;
  record.index = from.value<std::uint64_t>();
  record.time = from.text();
  record.property = from.text();
  record.status = from.text();
  record.origin = from.text();
  record.tap = from.text();
  record.ratio = from.value<double>();
  record.seconds = from.value<double>();
  record.scenario = from.text();
  return record;
}

void pack_ran(Packer& to, const Answer& answer) {
  to.value(answer.more)
      .value(answer.done)
      .value(answer.busy_seconds)
      .value(answer.too_long)
      .text(answer.worn);
  answer.statistics.pack_into(to);
  pack_all(to, answer.failed, [&](const FailedRun& run) { pack(to, run); });
  pack_all(to, answer.kept, [&](const KeptCase& kept) { pack(to, kept); });
  pack_all(to, answer.sampled, [&](const CaseRecord& record) { pack(to, record); });
  to.text(answer.observations);
}
void unpack_ran(Unpacker& from, Answer& answer) {
  answer.more = from.value<bool>();
  answer.done = from.value<std::uint64_t>();
  answer.busy_seconds = from.value<double>();
  answer.too_long = from.value<std::uint64_t>();
  answer.worn = from.text();
  answer.statistics = Statistics::unpack_from(from);
  answer.failed = unpack_all<FailedRun>(from, [&] { return unpack_failed_run(from); });
  answer.kept = unpack_all<KeptCase>(from, [&] { return unpack_kept_case(from); });
  answer.sampled = unpack_all<CaseRecord>(from, [&] { return unpack_case_record(from); });
  answer.observations = from.text();
}

}  // namespace

std::string pack(const Order& order) {
  Packer to;
  to.value(order.kind);
  switch (order.kind) {
    case Order::Kind::lease:
      to.value(order.first).value(order.count).value(order.seconds);
      pack_all(to, order.learn, [&](const Discovery& discovery) { pack(to, discovery); });
      break;
    case Order::Kind::given:
      pack_all(to, order.cases, [&](const GivenCase& given) {
        pack(to, given.scenario);
        to.text(given.property);
      });
      break;
    case Order::Kind::observe:
      pack(to, order.scenario);
      to.text(order.property).text(order.kind_wanted).value(order.repeat);
      break;
  }
  return to.take();
}

Order unpack_order_of_supervisor(const std::string& bytes) {
  Unpacker from(bytes);
  Order order;
  order.kind = from.value<Order::Kind>();
  switch (order.kind) {
    case Order::Kind::lease:
      order.first = from.value<std::uint64_t>();
      order.count = from.value<std::uint64_t>();
      order.seconds = from.value<double>();
      order.learn = unpack_all<Discovery>(from, [&] { return unpack_discovery(from); });
      break;
    case Order::Kind::given:
      order.cases = unpack_all<GivenCase>(from, [&] {
        Scenario scenario = unpack_scenario(from);
        return GivenCase{std::move(scenario), from.text()};
      });
      break;
    case Order::Kind::observe:
      order.scenario = unpack_scenario(from);
      order.property = from.text();
      order.kind_wanted = from.text();
      order.repeat = from.value<bool>();
      break;
  }
  return order;
}

std::string pack(const Answer& answer) {
  Packer to;
  to.value(answer.kind);
  switch (answer.kind) {
    case Answer::Kind::ready: to.text(answer.subject); break;
    case Answer::Kind::ran: pack_ran(to, answer); break;
    case Answer::Kind::observed:
      to.text(answer.error).value(answer.observation.has_value());
      if (!answer.observation) break;
      pack(to, answer.observation->failure);
      pack(to, answer.observation->signature);
      break;
  }
  return to.take();
}

Answer unpack_answer_of_worker(const std::string& bytes) {
  Unpacker from(bytes);
  Answer answer;
  answer.kind = from.value<Answer::Kind>();
  switch (answer.kind) {
    case Answer::Kind::ready: answer.subject = from.text(); break;
    case Answer::Kind::ran: unpack_ran(from, answer); break;
    case Answer::Kind::observed:
      answer.error = from.text();
      if (!from.value<bool>()) break;
      answer.observation.emplace();
      answer.observation->failure = unpack_failure(from);
      answer.observation->signature = unpack_signature(from);
      break;
  }
  return answer;
}

}  // namespace helixcheck
