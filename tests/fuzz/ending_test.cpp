// How each end of a worker is told apart and told.

#include "fuzz/ending.hpp"

#include <csignal>
#include <gtest/gtest.h>

namespace helixcheck {
namespace {

int exited(int status) {
  return status << 8;
}

EndEvidence in_stage(int wait_status) {
  EndEvidence evidence;
  evidence.wait_status = wait_status;
  evidence.stage = "attend";
  evidence.step = 3;
  evidence.in_subject = true;
  return evidence;
}

TEST(Ending, BySignalIsACrash) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    const WorkerEnd end = end_of(in_stage(signal));
    EXPECT_EQ(end.kind, "crash");
    EXPECT_FALSE(end.from_outside) << signal;
    EXPECT_EQ(end.stage, "attend");
  }
  EXPECT_EQ(end_of(in_stage(SIGSEGV)).sentence, "was ended by SIGSEGV in stage attend of step 3");
  constexpr int kCoreDumped = 0x80;
  EXPECT_EQ(end_of(in_stage(SIGSEGV | kCoreDumped)).sentence,
            "was ended by SIGSEGV in stage attend of step 3");
}

TEST(Ending, BySomebodyElsesSignalMayBeNobodysFault) {
  for (const int signal : {SIGKILL, SIGTERM}) {
    const WorkerEnd end = end_of(in_stage(signal));
    EXPECT_EQ(end.kind, "crash");
    EXPECT_TRUE(end.from_outside) << signal;
  }
}

TEST(Ending, ByExitNamesTheStatus) {
  for (const int status : {0, 1, 7, 255}) {
    const WorkerEnd end = end_of(in_stage(exited(status)));
    EXPECT_EQ(end.kind, "exit");
    EXPECT_EQ(end.sentence, "ended its process with status " + std::to_string(status) +
                                " in stage attend of step 3");
    EXPECT_FALSE(end.from_outside);
  }
}

// What the supervisor did counts, and not the signal with which it did it.
TEST(Ending, ByTheSupervisorSaysWhy) {
  EndEvidence evidence = in_stage(SIGKILL);
  evidence.seconds = 60.04;
  evidence.bytes = (std::uint64_t{3} << 30) + 1;
  evidence.output = "ERROR: AddressSanitizer: while it was killed";
  const auto expect = [&](Killed why, const std::string& kind, const std::string& sentence) {
    evidence.killed = why;
    const WorkerEnd end = end_of(evidence);
    EXPECT_EQ(end.kind, kind);
    EXPECT_EQ(end.sentence, sentence + " in stage attend of step 3");
    EXPECT_FALSE(end.from_outside) << sentence;
  };
  expect(Killed::for_time, "hang", "did not end within 60.0 s");
  expect(Killed::for_memory, "out_of_memory", "used 3072 MiB of memory");
  expect(Killed::for_silence, "exit", "closed its connection to the supervisor");
  expect(Killed::for_nonsense, "exit", "sent its supervisor what is no answer");
  evidence.seconds = 0.51;  // as while shrinking
  expect(Killed::for_time, "hang", "did not end within 0.5 s");
}

TEST(Ending, NamesThePlaceAsFarAsItIsKnown) {
  EndEvidence evidence = in_stage(SIGSEGV);
  evidence.in_subject = false;
  evidence.stage = "judge";
  WorkerEnd end = end_of(evidence);
  EXPECT_EQ(end.stage, std::nullopt) << "no stage of the subject is to blame";
  EXPECT_EQ(end.sentence, "was ended by SIGSEGV after its stages, in \"judge\"");
  evidence.stage = "";
  end = end_of(evidence);
  EXPECT_EQ(end.stage, std::nullopt);
  EXPECT_EQ(end.sentence, "was ended by SIGSEGV");
}

struct Sample {
  const char* output;
  const char* line;
};

TEST(Ending, ReadsTheReportsOfSanitizers) {
  const Sample samples[] = {
      {"noise\n=================================================================\n"
       "==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014\n"
       "READ of size 4 at 0x602000000014 thread T0\n",
       "ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000014"},
      {"AddressSanitizer:DEADLYSIGNAL\n==1==ERROR: AddressSanitizer: SEGV on unknown address",
       "ERROR: AddressSanitizer: SEGV on unknown address"},
      {"==1==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 8 byte(s)\n",
       "ERROR: LeakSanitizer: detected memory leaks"},
      {"WARNING: ThreadSanitizer: data race (pid=12)\n  Write of size 4\n",
       "WARNING: ThreadSanitizer: data race (pid=12)"},
      {"==9==WARNING: MemorySanitizer: use-of-uninitialized-value\n    #0 0x55\n",
       "WARNING: MemorySanitizer: use-of-uninitialized-value"},
      {"noise\nkernel.cpp:12:7: runtime error: signed integer overflow: 2147483647 + 1\n    #0\n",
       "kernel.cpp:12:7: runtime error: signed integer overflow: 2147483647 + 1"},
      {"a.c:1:1: runtime error: load of null pointer",
       "a.c:1:1: runtime error: load of null pointer"},
  };
  for (const Sample& sample : samples) {
    for (const int status : {exited(1), exited(66), static_cast<int>(SIGABRT)}) {
      EndEvidence evidence = in_stage(status);
      evidence.output = sample.output;
      const WorkerEnd end = end_of(evidence);
      EXPECT_EQ(end.kind, "sanitizer") << sample.output;
      EXPECT_EQ(end.sentence, std::string(sample.line) + " in stage attend of step 3");
      EXPECT_EQ(end.stage, "attend");
      EXPECT_FALSE(end.from_outside);
    }
  }
}

TEST(Ending, WithWordsOfTheSubjectIsNoReport) {
  EndEvidence evidence = in_stage(SIGSEGV);
  evidence.output = "interpreter: runtime error: none\nruntime error: 3\n";
  EXPECT_EQ(end_of(evidence).kind, "crash");
}

TEST(Ending, TakesNothingElseForASanitizersReport) {
  EndEvidence evidence = in_stage(SIGABRT);
  evidence.output = "AddressSanitizer is fine\nERROR: something else\nfree(): invalid pointer\n";
  EXPECT_EQ(end_of(evidence).kind, "crash");
}

}  // namespace
}  // namespace helixcheck
