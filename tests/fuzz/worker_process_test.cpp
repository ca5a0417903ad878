// How a supervisor sees a worker, whatever that does. Shell scripts stand in for workers: they read
// orders from descriptor 3 and write answers to 4.

#include "fuzz/worker_process.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <poll.h>
#include <sstream>
#include <thread>

#include "process/frames.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "support/command.hpp"
#include "world/heartbeat.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

std::string frame(const std::string& bytes) {
  const std::size_t size = bytes.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes;
}

class Workers : public testing::Test {
 protected:
  Workers() {
    Answer ready, ran;
    ready.subject = "scripted";
    ran.kind = Answer::Kind::ran;
    ran.done = 17;
    folder_.write("ready", frame(pack(ready)));
    folder_.write("answer", frame(pack(ran)));
    // Unless a test is about one of them, no limit comes near.
    setup_.case_seconds = setup_.start_seconds = 600;
    setup_.between_seconds = setup_.farewell_seconds = 600;
    setup_.dump_stack = false;
  }

  std::unique_ptr<WorkerProcess> start(const std::string& script) {
    const std::string file =
        folder_.write("worker", "#!/bin/sh\ncd '" + folder_.path().string() + "'\n" + script);
    fs::permissions(file, fs::perms::owner_all);
    setup_.arguments = {file};
    return std::make_unique<WorkerProcess>(setup_, journal_);
  }
  std::unique_ptr<WorkerProcess> start_ready(const std::string& script) {
    auto worker = start("cat ready >&4\n" + script);
    worker->wait(nullptr);
    EXPECT_TRUE(worker->ready());
    return worker;
  }
  std::string kept(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_.path() / name).rdbuf();
    return text.str();
  }
  WorkerEnd end_of(WorkerProcess& worker) const {
    while (!worker.end()) worker.wait(nullptr);
    EXPECT_FALSE(worker.look().has_value()) << "nothing comes after the end";
    return *worker.end();
  }

  TemporaryFolder folder_;
  const fs::path journal_ = folder_.path() / "a: journal";
  WorkerSetup setup_;
};

TEST_F(Workers, GetReadyAndAnswer) {
  const auto worker = start_ready("head -c 1 <&3 >first; cat answer >&4; cat <&3 >rest");
  EXPECT_EQ(worker->subject(), "scripted");
  EXPECT_TRUE(worker->idle());
  worker->order({});
  EXPECT_FALSE(worker->idle());
  const std::optional<Answer> answer = worker->wait(nullptr);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->done, 17u);
  EXPECT_TRUE(worker->idle());
  EXPECT_FALSE(worker->end().has_value());
}

TEST_F(Workers, GetTheOrderWhole) {
  Order order;
  order.kind = Order::Kind::observe;
  order.property = "ranks";
  const std::string bytes = frame(pack(order));
  const auto worker = start_ready("head -c " + std::to_string(bytes.size()) +
                                  " <&3 >order; cat answer >&4; cat <&3");
  worker->order(order);
  ASSERT_TRUE(worker->wait(nullptr).has_value());
  EXPECT_EQ(kept("order"), bytes);
}

TEST_F(Workers, AreToldWhereTheirSupervisorIs) {
  setenv("ASAN_OPTIONS", "symbolize=0", 1);
  unsetenv("UBSAN_OPTIONS");
  end_of(*start("echo \"$HELIXCHECK_WORKER|$ASAN_OPTIONS|$UBSAN_OPTIONS\" >told"));
  EXPECT_EQ(kept("told"), "3:4:0:" + journal_.string() +
                              "|detect_leaks=0:symbolize=0|halt_on_error=1:print_stacktrace=1\n");
}

TEST_F(Workers, AreKnownByTheirEnd) {
  EXPECT_EQ(end_of(*start("exit 3")).sentence, "ended its process with status 3");
  EXPECT_EQ(end_of(*start("kill -SEGV $$")).sentence, "was ended by SIGSEGV");
  EXPECT_TRUE(end_of(*start("kill -KILL $$")).from_outside);
  EXPECT_EQ(end_of(*start("echo 'k.c:1:2: runtime error: bad'; exit 1")).kind, "sanitizer");
}

TEST_F(Workers, EndInTheStageThatTheJournalHas) {
  const auto worker = start_ready("head -c 1 <&3 >/dev/null");
  worker->journal().begin(5, "ranks", "{}");
  worker->journal().life().enter(mpi::Life::working, "attend", 2);
  worker->order({});
  WorkerEnd end = end_of(*worker);
  EXPECT_EQ(end.stage, "attend");
  EXPECT_EQ(worker->journal().running()->index, 5u);
  const auto between = start_ready("head -c 1 <&3 >/dev/null");
  EXPECT_EQ(between->journal().running(), std::nullopt) << "a new worker begins anew";
  between->journal().begin(5, "ranks", "{}");
  between->journal().life().enter(mpi::Life::working, "attend", 2);
  between->journal().end();
  between->order({});
  EXPECT_EQ(end_of(*between).stage, std::nullopt) << "no case ran";
}

// A worker may say its last word and die before anybody looks.
TEST_F(Workers, AreHeardThoughTheyHaveEnded) {
  for (int i = 0; i < 10; ++i) {
    const auto worker = start_ready("head -c 1 <&3 >/dev/null; cat answer >&4; kill -SEGV $$");
    worker->order({});
    const std::optional<Answer> answer = worker->wait(nullptr);
    ASSERT_TRUE(answer.has_value()) << i;
    EXPECT_EQ(answer->done, 17u);
    EXPECT_EQ(end_of(*worker).sentence, "was ended by SIGSEGV");
  }
}

TEST_F(Workers, MayBeGoneWhenTheyGetAnOrder) {
  const auto worker = start_ready("exit 9");
  pollfd gone{worker->answers(), 0, 0};
  ASSERT_EQ(poll(&gone, 1, 60'000), 1) << "it has closed its end";
  worker->order({});
  EXPECT_FALSE(worker->wait(nullptr).has_value());
  EXPECT_EQ(end_of(*worker).sentence, "ended its process with status 9");
}

// As of a worker whose memory is spoilt, or of a subject that writes to every descriptor.
TEST_F(Workers, ThatSendNonsenseAreEnded) {
  std::string cut = pack(Answer{});
  cut.pop_back();
  for (const std::string& bytes : {cut, std::string("x"), std::string()}) {
    folder_.write("nonsense", frame(bytes));
    const auto worker = start_ready("cat nonsense >&4; exec sleep 1000");
    const WorkerEnd end = end_of(*worker);
    EXPECT_EQ(end.kind, "exit");
    EXPECT_EQ(end.sentence, "sent its supervisor what is no answer");
    EXPECT_FALSE(end.from_outside);
  }
}

TEST_F(Workers, HaveALimitForTheirStart) {
  setup_.start_seconds = 0.2;
  const WorkerEnd end = end_of(*start("exec sleep 1000"));
  EXPECT_EQ(end.kind, "hang");
  EXPECT_EQ(end.sentence.rfind("did not end within ", 0), 0u) << end.sentence;
  EXPECT_EQ(end.sentence.find("within 0.0 s"), std::string::npos) << end.sentence;
}

TEST_F(Workers, HaveALimitForACase) {
  setup_.case_seconds = 0.2;
  auto worker = start_ready("exec sleep 1000");
  worker->order({});
  worker->journal().begin(0, "ranks", "{}");
  worker->journal().life().enter(mpi::Life::working, "exchange", 0);
  WorkerEnd end = end_of(*worker);
  EXPECT_EQ(end.kind, "hang");
  EXPECT_EQ(end.stage, "exchange");
  EXPECT_FALSE(end.from_outside);
  setup_.case_seconds = 600;
  worker = start_ready("exec sleep 1000");
  worker->set_case_seconds(0.1);
  worker->journal().begin(0, "ranks", "{}");
  EXPECT_EQ(end_of(*worker).kind, "hang");
}

// Also one that is stuck between cases, or says that more is to come than ever does.
TEST_F(Workers, HaveALimitBetweenCases) {
  setup_.case_seconds = 0.1;
  setup_.between_seconds = 0.1;
  folder_.write("long", frame("four").substr(0, 5) + "\xff\xff\xff");
  for (const char* script : {"exec sleep 1000", "cat long >&4; exec sleep 1000"}) {
    const auto worker = start_ready(script);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    worker->look();
    EXPECT_FALSE(worker->end().has_value()) << "without an order it may wait for ever";
    worker->order({});
    EXPECT_EQ(end_of(*worker).kind, "hang");
  }
  const auto busy = start_ready("exec sleep 1000");
  busy->order({});
  const Stopwatch watch;
  for (std::uint64_t i = 0; watch.seconds() < 0.5; ++i) {
    busy->journal().begin(i, "ranks", "{}");
    if (i % 2 == 0) busy->look();
    busy->journal().end();
    if (i % 2 == 1) busy->look();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(busy->end().has_value()) << "cases are signs of life";
}

TEST_F(Workers, ThatCloseTheirConnectionAreEnded) {
  setup_.farewell_seconds = 0.2;
  const auto worker = start_ready("exec 4>&-; exec sleep 1000");
  const WorkerEnd end = end_of(*worker);
  EXPECT_EQ(end.kind, "exit");
  EXPECT_EQ(end.sentence, "closed its connection to the supervisor");
}

TEST_F(Workers, HaveALimitOfMemory) {
  setup_.memory_bytes = std::uint64_t{64} << 20;
  const auto worker = start_ready("x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done");
  const WorkerEnd end = end_of(*worker);
  EXPECT_EQ(end.kind, "out_of_memory");
  EXPECT_FALSE(end.from_outside);
}

TEST_F(Workers, AreKeptByTheEndOfWhatTheyPrint) {
  const auto worker = start("echo out; echo err >&2; exit 1");
  end_of(*worker);
  EXPECT_EQ(worker->output_end(), "out\nerr\n");
  EXPECT_EQ(worker->printed(), 8u);
  const auto noisy = start("yes | head -c 3000000; echo last; exit 1");
  end_of(*noisy);
  EXPECT_EQ(noisy->printed(), 3'000'005u);
  EXPECT_LE(noisy->output_end().size(), std::size_t{128} << 10);
  EXPECT_GE(noisy->output_end().size(), std::size_t{64} << 10);
  EXPECT_EQ(noisy->output_end().substr(noisy->output_end().size() - 5), "last\n");
}

// Somebody who prints as fast as anybody can read is still watched.
TEST_F(Workers, ThatPrintWithoutEndHaveLimits) {
  const auto worker = start_ready("while :; do head -c 100000000 /dev/zero; done");
  while (worker->printed() < std::uint64_t{8} << 20) worker->look();
  worker->set_case_seconds(0.1);
  worker->journal().begin(0, "ranks", "{}");
  EXPECT_EQ(end_of(*worker).kind, "hang");
  EXPECT_LE(worker->output_end().size(), std::size_t{3} << 20);
}

bool is_dead(const std::string& pid) {
  for (int i = 0; i < 1000; ++i) {
    if (mpi::process_state(std::stoi(pid)) == mpi::Process::dead) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_F(Workers, LeaveNoProcessesBehind) {
  end_of(*start("sleep 1000 & echo $! >child; exit 1"));
  EXPECT_TRUE(is_dead(kept("child"))) << "which it had started";
  start("sleep 1000 & echo $! >child; echo $$ >own; cat ready >&4; exec sleep 1000")->wait(nullptr);
  EXPECT_TRUE(is_dead(kept("own")));
  EXPECT_TRUE(is_dead(kept("child")));
}

TEST_F(Workers, CanBeInterrupted) {
  const auto worker = start_ready("exec sleep 1000");
  worker->order({});
  int asked = 0;
  EXPECT_THROW(worker->wait([&] { return ++asked == 3; }), ResourceError);
  EXPECT_EQ(asked, 3);
}

TEST_F(Workers, ThatCannotStartAreAnError) {
  setup_.arguments = {(folder_.path() / "no command").string()};
  EXPECT_THROW(WorkerProcess(setup_, journal_), ResourceError);
}

}  // namespace
}  // namespace helixcheck
