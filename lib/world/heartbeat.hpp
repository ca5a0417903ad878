// Signs of life: one record for each rank of a host, in memory that those ranks share, so that a
// rank that is dead, frozen or stuck can still be named by another. A record is lock-free: its rank
// may die at any instruction. The memory has no name in any file system, so nothing is left behind.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

namespace helixcheck::mpi {

enum class Life : int {
  harness,   // the harness's own work: no time limit
  working,   // a stage of the subject: must show a sign of life within the hang limit
  waiting,   // blocked on another rank
  finished,  // done: may go without a word
};

// Written by its own rank, read by every rank of the host.
class Record {
 public:
  // Before any other rank looks. `rank` counts through the job, `pid` is its process.
  void open(int rank, int pid);
  // A sign of life, with what the rank does from now on; names longer than 31 bytes are cut.
  void enter(Life life, std::string_view stage, std::int64_t step);
  // A sign of life and another state in the same stage; returns the former state.
  Life change(Life life);
  // This process is being ended, and not by its own fault.
  void end() { ending_ = true; }

  int rank() const { return rank_; }
  int pid() const { return pid_; }
  Life life() const { return life_; }
  bool ending() const { return ending_; }
  std::uint64_t beats() const { return beats_; }
  std::int64_t step() const { return step_; }  // -1: none
  // Copies the stage's name, without a closing zero; returns its part of `buffer`.
  std::string_view stage(std::span<char, 32> buffer) const;

 private:
  std::atomic<int> rank_{0};
  std::atomic<int> pid_{0};
  std::atomic<Life> life_{Life::harness};
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<std::int64_t> step_{-1};
  std::array<std::atomic<char>, 32> stage_{};
  static_assert(std::atomic<std::int64_t>::is_always_lock_free);
};

// The records of the ranks of one host, in rank order.
class Board {
 public:
  explicit Board(int ranks);  // new memory; ResourceError if there is none
  // The memory of a Board that process `pid` made and still holds open as `descriptor`.
  Board(int pid, int descriptor, int ranks);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  int descriptor() const { return descriptor_; }
  // Once every rank has its map; the memory then lives exactly as long as the maps.
  void close_descriptor();

  std::span<Record> records() const { return {records_, static_cast<std::size_t>(ranks_)}; }
  // True for the first caller on this host: one rank reports how the job ends, the others are
  // silent.
  bool claim_report();

 private:
  struct Layout;
  std::size_t bytes() const;
  void map();

  int descriptor_ = -1;
  int ranks_ = 0;
  Layout* layout_ = nullptr;
  Record* records_ = nullptr;
};

enum class Process { alive, stopped, dead };
// What the kernel says of a process of this host; a zombie is dead.
Process process_state(int pid);

}  // namespace helixcheck::mpi
