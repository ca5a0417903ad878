// The scenario: every parameter of a test and its script, as a plain value. No tensors.
//
// A scenario has four blocks. `Problem` says what is computed, `Layout` where the bytes lie, `Run`
// how it is executed and judged, and the script what happens step by step. Field names are those of
// engine configurations (Hugging Face, TensorRT-LLM) wherever one exists. Invariant: a scenario
// that `validate` accepts can be run; one that it rejects is never repaired.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace helixcheck {

// Storage formats. Text names: "fp32", "fp16", "bf16", "fp8_e4m3".
enum class Dtype { fp32, fp16, bf16, fp8_e4m3 };

// Where a case enters the pipeline: `layer` from hidden states and weights, `core` from given
// queries and cache rows, `merge` from given partial results and their LSEs.
enum class Entry { layer, core, merge };

// How input values are drawn. `uniform` follows the fixed-scenario test: U(-1,1) activations and
// Kaiming-uniform weights at `layer`, independent unit-variance keys at `core`. `constant` gives
// all keys of a request one value part, `shard_constant` all keys of KVP rank r the value 2^(r mod
// 8) times kv_scale. Those two and the exact classes that follow are defined at `core`; `merge`
// takes `uniform` and `constant`.
enum class Family { uniform, constant, shard_constant, integers, one_hot, null_test };

// Named places where a key with a large share of one head's softmax mass can be planted. Shard and
// page places refer to the prompt keys of the KVP rank given by `HeavyKey::kvp_rank`.
enum class HeavyPlace { key_zero, newest, shard_first, shard_last, page_first, page_last };

// Of two keys planted on one token the first counts; one whose place does not exist, such as the
// first key of an empty shard, is left out.
//
// One planted key: `head` gives it the share `mass` (0 < mass < 1) of its softmax in each request.
struct HeavyKey {
  HeavyPlace place = HeavyPlace::key_zero;
  int head = 0;
  int kvp_rank = 0;
  double mass = 0.5;
  friend bool operator==(const HeavyKey&, const HeavyKey&) = default;
};

struct Data {
  Family family = Family::uniform;
  std::uint64_t seed = 42;
  double logit_gain = 1.0;      // multiplies the queries: 0.1 gives flat logits, 100 saturates
  double k_pe_gain = 1.0;       // multiplies the roped part of the keys
  double lse_gap = 0.0;         // nats by which each KVP rank outscores the one before it; `core`
  bool equal_requests = false;  // all requests, forks too, draw what request 0 draws
  std::vector<HeavyKey> heavy;  // `core` only
  std::string tensors;          // safetensors file that replaces drawn tensors; "" = none
  friend bool operator==(const Data&, const Data&) = default;
};

// YaRN parameters. An absent `mscale` and `mscale: 0` are different values: engines treat them
// differently (an absent one leaves the attention factor at its default).
struct RopeScaling {
  double factor = 40.0;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  std::int64_t original_max_position_embeddings = 4096;
  std::optional<double> mscale = 1.0;
  std::optional<double> mscale_all_dim = 1.0;
  friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

// Who computes the prompt's cache rows: the subject from hidden states, or the case itself.
enum class Prompt { computed, given };

struct Problem {
  Entry entry = Entry::layer;
  std::int64_t hidden_size = 2560;
  std::int64_t num_heads = 32;
  std::int64_t q_lora_rank = 0;  // 0 = queries are projected directly ("lite" models)
  std::int64_t kv_lora_rank = 512;
  std::int64_t qk_nope_head_dim = 128;
  std::int64_t qk_rope_head_dim = 64;
  std::int64_t v_head_dim = 128;
  double rms_norm_eps = 1e-6;
  double rope_theta = 1e4;
  bool rope_interleave = true;  // pairs (2j, 2j+1); false: halves (j, j + P/2)
  std::optional<RopeScaling> rope_scaling;
  std::optional<double> softmax_scale;  // absent: (N+P)^-1/2 times the YaRN factor squared
  Dtype dtype = Dtype::bf16;
  Dtype kv_cache_dtype = Dtype::bf16;
  double kv_scale = 1.0;                    // a stored fp8 code c stands for c * kv_scale
  std::vector<std::int64_t> ctx_len{1024};  // prompt tokens of each request; its size is the batch
  std::int64_t position_base = 0;           // RoPE position of index 0; ownership uses the index
  std::int64_t predicted_tokens_per_seq = 1;  // query tokens a request and step, default script
  std::int64_t decode_steps = 1;              // decode steps of the default script
  Prompt prompt = Prompt::computed;
  Data data;
  std::int64_t batch() const { return static_cast<std::int64_t>(ctx_len.size()); }
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Which KVP rank owns a prompt token. `contiguous` cuts the prompt into KVP runs of equal length,
// the first runs one longer where it does not divide; `contiguous_blocks` does the same in units of
// `interleave` tokens; `interleaved` deals runs of `interleave` tokens round-robin (vLLM, SGLang).
enum class Ownership { contiguous, contiguous_blocks, interleaved };

// Which KVP rank owns a generated token. `last`: always rank KVP-1. `continued`: the interleaved
// rule applied to the global index. `restarted`: the interleaved rule applied to the decode index,
// counted from rank 0 at the first generated token (TensorRT-LLM serving).
enum class DecodeOwner { last, continued, restarted };

enum class PageOrder { ascending, descending, shuffled };
enum class Poison { nan, inf, huge, zero };

// How a partial softmax's statistics are written: natural-log LSE, base-2 LSE, or (max, sum).
enum class LseForm { ln, log2, max_sum };

struct Layout {
  std::int64_t kvp = 2;  // ranks the KV cache is sharded over
  std::int64_t tpa = 1;  // tensor-parallel width of attention; the world has kvp * tpa ranks
  Ownership ownership = Ownership::contiguous;
  DecodeOwner decode_owner = DecodeOwner::last;
  std::int64_t interleave = 1;  // tokens; independent of the page size
  std::int64_t kv_cache_tokens_per_block = 32;
  PageOrder page_order = PageOrder::shuffled;
  std::int64_t spare_pages = 1;   // poisoned pages of each rank's pool that nobody owns
  std::int64_t page_id_base = 0;  // smallest physical page id in use
  std::int64_t row_gap = 0;       // poisoned elements after each cache row
  std::int64_t page_gap = 0;      // poisoned elements after each page
  std::int64_t padding_rows = 0;  // rows appended to each decode step that belong to no request
  Poison poison = Poison::nan;
  LseForm lse_form = LseForm::ln;
  std::int64_t ranks() const { return kvp * tpa; }
  friend bool operator==(const Layout&, const Layout&) = default;
};

enum class WorldKind { sim, mpi };
// How the ranks of `mpi` exchange tensors of a GPU. automatic: alltoall where NCCL is there and
// each rank has a GPU of its own, staged elsewhere. staged: by way of host memory.
enum class TransportKind { automatic, alltoall, sendrecv, staged };
enum class Observe { all, end };  // which taps are read back: every one, or the outputs only
enum class VerdictRule { bound, mismatch };  // proven bounds, or the fixed test's tolerance
// How device work is launched: call by call, or recorded for each shape of a step and run again.
enum class Launch { direct, graph };
enum class InstanceLife { kept, renewed };  // one subject instance for the script, or one a step

struct Run {
  WorldKind world = WorldKind::sim;
  TransportKind transport = TransportKind::automatic;
  Observe observe = Observe::all;
  InstanceLife instance = InstanceLife::kept;
  Launch launch = Launch::direct;  // `graph`: on a device in world `sim`, elsewhere no difference
  std::int64_t skew_us = 0;  // longest delay of a rank before a stage, microseconds; `mpi` only
  VerdictRule verdict = VerdictRule::bound;
  double atol = 0.1;
  double rtol = 0.05;
  double max_mismatch_ratio = 0.02;
  friend bool operator==(const Run&, const Run&) = default;
};

// One event of a script. Requests are named by id: 0 .. batch-1 in the order of `ctx_len`, forks
// get the ids that follow, in order of appearance.
//   join    the named requests enter with their prompts
//   decode  tokens[i] query tokens (0..8) of requests[i]
//   reject  the last tokens[i] generated tokens of requests[i] are dropped
//   finish  the named requests leave and free their pages
//   fork    a new request starts as a copy of requests[0], sharing its pages until it writes
enum class StepKind { join, decode, reject, finish, fork };

struct Step {
  StepKind kind = StepKind::decode;
  std::vector<std::int64_t> requests;  // empty: all that are live (join: all that never joined)
  std::vector<std::int64_t> tokens;    // one for each request; empty: 1 each (decode, reject)
  friend bool operator==(const Step&, const Step&) = default;
};

struct Scenario {
  Problem problem;
  Layout layout;
  Run run;
  std::vector<Step> script;  // empty: join all, then decode `decode_steps` times
  std::string name;          // short name; "" = derived from the content; no part of the hash
  std::vector<std::string> labels;  // for selection, such as "slow"; no part of the hash
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

// Elements from the start of one page of a pool to the next: rows and gaps.
inline std::int64_t page_elements(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  const Layout& layout = scenario.layout;
  const std::int64_t row = p.kv_lora_rank + p.qk_rope_head_dim + layout.row_gap;
  return layout.kv_cache_tokens_per_block * row + layout.page_gap;
}

// The script with its defaults written out: explicit requests and tokens in every step.
// Requires a valid scenario. `merge` scenarios have no script: the result is empty.
std::vector<Step> expand_script(const Scenario& scenario);

}  // namespace helixcheck
