// A worker as its supervisor sees it: orders go in, answers come out, and its end is noticed and
// explained. Nothing here runs code under test or waits for it without a limit.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/ending.hpp"
#include "fuzz/journal.hpp"
#include "fuzz/wire.hpp"

namespace helixcheck {

struct WorkerSetup {
  std::vector<std::string> arguments;  // argv of a worker; it comes to serve_supervisor
  double case_seconds = 60;            // a case that takes longer hangs; so does what is between
  double between_seconds = 5;          // more than that, for what is between cases
  double farewell_seconds = 5;         // from its last byte to its end
  double start_seconds = 120;          // from its start until it is ready
  std::uint64_t memory_bytes = 0;      // resident; more is out of memory; 0: no limit
  bool dump_stack = true;              // of a case that hangs, into its output
  std::int64_t run_start = 0;          // of the campaign's run, seconds since 1970
};

class WorkerProcess {
 public:
  // Starts the process. Throws ResourceError if it cannot be.
  WorkerProcess(const WorkerSetup& setup, const std::filesystem::path& journal);
  ~WorkerProcess();  // ends it, with whatever it has started
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // What to wait for with poll(), -1 where nothing more can come; reading happens in `look`.
  int answers() const;
  int output() const;

  bool ready() const { return !subject_.empty(); }
  bool idle() const { return ready() && !ordered_; }
  const std::string& subject() const { return subject_; }  // its name; "" until it is ready
  CaseJournal& journal() { return journal_; }
  std::uint64_t printed() const { return printed_; }  // bytes
  std::string output_end() const { return output_; }  // the last of them

  void order(const Order& order);
  void set_case_seconds(double seconds) { setup_.case_seconds = seconds; }

  // Reads what is there, without blocking; enforces the limits; notices the end. An answer, if one
  // has come: call it until there is none, since answers may be left when the end is noticed.
  std::optional<Answer> look();
  const std::optional<WorkerEnd>& end() const { return end_; }

  // Waits for the answer to an order, or for the end. `interrupted` is asked while waiting.
  std::optional<Answer> wait(const std::function<bool()>& interrupted);

 private:
  void read_output();
  std::optional<Answer> next_answer();
  void enforce_limits();
  double seconds_without_case();
  void kill_for(Killed why);
  void finish(int wait_status);
  EndEvidence evidence(int wait_status);

  WorkerSetup setup_;
  CaseJournal journal_;
  struct Streams;
  std::unique_ptr<Streams> streams_;
  int process_ = -1;
  bool ordered_ = false;
  bool stream_ended_ = false, output_ended_ = false;
  std::string subject_;
  std::string output_;
  std::uint64_t printed_ = 0;
  std::uint64_t bytes_used_ = 0;
  std::uint64_t cases_seen_ = 0;
  double running_seconds_ = 0;
  Killed killed_ = Killed::no;
  std::optional<WorkerEnd> end_;
};

}  // namespace helixcheck
