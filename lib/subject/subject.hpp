// A subject under test, put together: somebody's table over the built-in one.
//
// Entries of the override replace the built-in stages they cover; the rest stays built in. Each
// part has an instance and a contract of its own, so that a plug-in's stages are judged by what the
// plug-in declares and the others by what the built-in does.

#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "device/memory.hpp"
#include "scenario/error.hpp"
#include "subject/helixcheck_subject.h"
#include "subject/instance_keeper.hpp"

namespace helixcheck {

// A stage that broke a rule outside of its taps.
struct StageError : SubjectError {
  StageError(hxc_stage where, const std::string& sentence) : SubjectError(sentence), stage(where) {}
  hxc_stage stage;
};

class Subject {
 public:
  // Both tables must outlive the object; `override_table` may be null. Throws InputError if the
  // override's entries overlap, name stages that do not exist or speak another ABI version.
  explicit Subject(const hxc_subject& base, const hxc_subject* override_table = nullptr);

  std::string name() const;  // "cpu", or "cpu+NAME" with an override
  // Where its tensors lie: this process's own memory, or a device's of the calling thread.
  Memory& memory() const;

  // One entry of the resolved pipeline, in stage order.
  struct Part {
    hxc_stage first, last;
    hxc_stage_fn run;
    bool overridden;
  };
  std::span<const Part> parts() const { return parts_; }

  // The part that covers a stage, and the name of the contract it works under.
  const Part& part_of(hxc_stage stage) const;
  std::string contract_of(hxc_stage stage) const;

  // The built-in part for a stage, whatever overrides it: prompts are filled by stages `project`
  // and `append`, which a span that reaches further cannot serve.
  const Part& prompt_part(hxc_stage stage) const;

  // What one scenario's script runs on. Created once and destroyed with the object, unless this
  // thread has an InstanceKeeper.
  class Instance {
   public:
    Instance(const Subject& subject, const hxc_model& model,
             std::span<const hxc_rank* const> places, std::span<const hxc_weights* const> weights,
             const hxc_limits& limits);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    // Runs one part over the ranks of this process. Throws StageError with the entry's message, or
    // InputError if the subject does not take the scenario.
    void run(const Part& part, std::span<hxc_step* const> ranks, hxc_comm& comm);
    std::size_t workspace_bytes() const;  // for each rank

   private:
    void release();

    const Subject& subject_;
    InstanceKeeper* keeper_;
    bool failed_ = false;
    std::array<void*, 2> handles_{};  // built-in, override
  };

 private:
  const hxc_subject& base_;
  const hxc_subject* override_;
  std::vector<Part> base_parts_, parts_;
};

// Names of the stages at the boundary: "plan", "project", ...
const char* stage_name(hxc_stage stage);

// The subjects of this executable by name ("cpu", "cpu_p16", "canary"), in the order of `helixcheck
// list subjects`; those of the CUDA part are named by cuda::subject_names. Those that leave stages
// out are put over `cpu`.
std::span<const hxc_subject* const> builtin_subjects();

// What plug-ins and mutants are put over that work on this memory: `cpu` or `cuda`. Throws
// ResourceError where CUDA is asked for and missing.
const hxc_subject& base_subject(hxc_memory memory);

// A shared object that exports HXC_SUBJECT_SYMBOL, loaded for the life of the process. Throws
// ResourceError if it cannot be loaded, InputError if it is not a subject.
const hxc_subject& load_plugin(const std::string& file);

// Whether it is planted: "mutant:ID".
bool is_mutant(std::string_view name);

// A built-in one by name, "mutant:ID" (mutants/mutants.hpp), or a path to a shared object (anything
// with a '/' or ending in ".so"), which is put over `cpu`, or over `cuda` if it works on device
// memory. Throws InputError for an unknown name, listing the known ones, and ResourceError where
// CUDA is asked for and missing.
std::unique_ptr<Subject> find_subject(const std::string& name);

}  // namespace helixcheck
