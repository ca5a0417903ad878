// Real workers for tests: this build's command, with a plug-in that misbehaves as it is told.

#pragma once

#include <cstdlib>
#include <string>

#include "fuzz/worker_process.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

inline WorkerSetup real_worker(const std::string& subject = MISBEHAVING_SUBJECT) {
  WorkerSetup setup;
  setup.arguments = {HELIXCHECK_COMMAND, "fuzz", "--subject", subject, "--seed", "1"};
  return setup;
}

// Where the plug-in misbehaves, and where it does not.
inline Scenario scenario(bool rare) {
  Scenario made;
  made.problem.entry = Entry::core;
  made.problem.num_heads = 4;
  made.problem.kv_lora_rank = 16;
  made.problem.qk_rope_head_dim = 4;
  made.problem.ctx_len = {9};
  made.problem.dtype = made.problem.kv_cache_dtype = Dtype::fp16;
  made.layout.kvp = 2;
  made.layout.lse_form = rare ? LseForm::log2 : LseForm::ln;
  return made;
}

// For the workers that are started while it lives; see tests/support/misbehaving_subject.cpp.
class Misbehave {
 public:
  explicit Misbehave(const std::string& mode) { setenv("HELIXCHECK_MISBEHAVE", mode.c_str(), 1); }
  ~Misbehave() { unsetenv("HELIXCHECK_MISBEHAVE"); }
  Misbehave(const Misbehave&) = delete;
  Misbehave& operator=(const Misbehave&) = delete;
};

}  // namespace helixcheck
