// All ranks hear of an order from rank 0 and tell it how the run went for them. A rank that gives
// up leaves its world, which the others notice at their next collective: so each of them comes
// back here, whatever went wrong, if it lives and does not hang.

#include "campaign/rank_service.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <unistd.h>

#include "campaign/run_wire.hpp"
#include "process/frames.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

using Outcome = RunAnswer::Outcome;

constexpr int kFault = 1;  // exit status of a job that found something

// Both ends on rank 0, nothing elsewhere.
class Line {
 public:
  explicit Line(bool root) {
    if (!root) return;
    const std::string paths = std::getenv(kServiceVariable);
    const std::size_t colon = paths.find(':');
    orders_ = open(paths.substr(0, colon).c_str(), O_RDONLY | O_CLOEXEC);
    answers_ = open(paths.substr(colon + 1).c_str(), O_WRONLY | O_CLOEXEC);
    write_frame(answers_, "");  // the ranks are up
  }
  ~Line() {
    if (orders_ >= 0) close(orders_);
    if (answers_ >= 0) close(answers_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Empty at the end, and on other ranks than 0.
  std::string next_order() const {
    std::string order;
    return orders_ >= 0 && read_frame(orders_, order) ? order : "";
  }
  void answer(const RunAnswer& answer) const { write_frame(answers_, pack(answer)); }

 private:
  int orders_ = -1;
  int answers_ = -1;
};

RunAnswer failed(Outcome outcome, const std::string& message) {
  RunAnswer answer;
  answer.outcome = outcome;
  answer.message = message;
  return answer;
}

RunAnswer run(const RunOrder& order, mpi::Session& session, const Subject& subject,
              RunOptions options) {
  const Scenario& scenario = order.scenario;
  const bool merge = scenario.problem.entry == Entry::merge;
  options.repeat_failures = order.repeat_failures;
  const std::unique_ptr<World> world =
      session.make_world(merge ? 1 : static_cast<int>(scenario.layout.kvp),
                         merge ? 1 : static_cast<int>(scenario.layout.tpa), scenario.run.transport);
  RunAnswer answer;
  if (!world) return answer;
  try {
    answer.result = run_scenario(scenario, *world, subject, options);
  } catch (const StageError& error) {
    // A GPU that has faulted serves no further run: a new job does, and this one's end is a crash.
    if (subject.memory().lost()) session.abort(kFault, error.what());
    answer = failed(Outcome::subject_error, error.what());
    answer.stage = static_cast<Stage>(error.stage);
  } catch (const SubjectError& error) {
    if (subject.memory().lost()) session.abort(kFault, error.what());
    answer = failed(Outcome::subject_error, error.what());
  } catch (const InputError& error) {
    answer = failed(Outcome::input_error, error.what());
  } catch (const ResourceError& error) {
    answer = failed(Outcome::resource_error, error.what());
  } catch (const std::bad_alloc&) {
    answer = failed(Outcome::resource_error, "out of memory");
  }
  return answer;
}

// The cause and not its echo: ranks that met another's absence say so, and nothing of the reason.
int weight(const RunAnswer& answer) {
  switch (answer.outcome) {
    case Outcome::done: return 0;
    case Outcome::subject_error: break;
    case Outcome::input_error: return 2;
    case Outcome::resource_error: return 3;
  }
  return answer.message.find("its world has ended") != std::string::npos ? 1 : 4;
}

RunAnswer weightiest(const std::vector<std::string>& answers) {
  RunAnswer chosen = unpack_answer(answers.front());
  for (std::size_t rank = 1; rank < answers.size(); ++rank) {
    const RunAnswer other = unpack_answer(answers[rank]);
    if (weight(other) > weight(chosen)) chosen = other;
  }
  return chosen;
}

}  // namespace

bool is_rank_service() {
  return std::getenv(kServiceVariable) != nullptr;
}

void serve_runs(mpi::Session& session, const Subject& subject, const RunOptions& options) {
  const Line line(session.rank() == 0);
  for (;;) {
    const std::string order = session.exchange_texts(line.next_order()).front();
    if (order.empty()) return;
    const RunAnswer mine = run(unpack_order(order), session, subject, options);
    const std::vector<std::string> answers = session.exchange_texts(pack(mine));
    if (session.rank() == 0) line.answer(weightiest(answers));
  }
}

}  // namespace helixcheck
