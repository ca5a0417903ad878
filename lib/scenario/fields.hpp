// The one table of fields: name, short-name suffix, help and range of every member of every block.
//
// The JSON reader and writer, both replay printers, the command-line options, the short names and
// the range checks are visitors of this table, so a new field is one line here. Order is the order
// of the canonical text; names are unique over all blocks because options have no prefix.

#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct Field {
  std::string_view name;    // as in the struct and in JSON; with dashes, the option's name
  std::string_view suffix;  // in short names: written before the value, alone for a flag
  std::string_view help;    // one line, lower case
  double min = 0, max = 0;  // inclusive, numbers only
};

inline constexpr std::int64_t kMaxBatch = 4096;

template <typename T, typename Block>
concept Is = std::same_as<std::remove_const_t<T>, Block>;

// visit_fields(visit, a, b, ...) calls visit(field, a.member, b.member, ...) for each member in
// turn. With one argument that is a plain visit; with a second, a walk beside the defaults.

template <typename Visit, Is<HeavyKey>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"place", "", "which key"}, b.place...);
  visit(Field{"head", "", "the head that sees it", 0, 1023}, b.head...);
  visit(Field{"kvp_rank", "", "whose shard", 0, 63}, b.kvp_rank...);
  visit(Field{"mass", "", "its share of the softmax", 0, 1}, b.mass...);
}

template <typename Visit, Is<Data>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"family", "", "how input values are drawn"}, b.family...);
  visit(Field{"seed", "seed", "64-bit seed of every input"}, b.seed...);
  visit(Field{"logit_gain", "gain", "multiplies the queries", 1e-6, 1e6}, b.logit_gain...);
  visit(Field{"k_pe_gain", "kpe", "multiplies the roped part of the keys", 1e-6, 1e6},
        b.k_pe_gain...);
  visit(Field{"lse_gap", "gap", "nats by which a rank outscores the one before it", -200, 200},
        b.lse_gap...);
  visit(Field{"equal_requests", "equal", "all requests draw what request 0 draws"},
        b.equal_requests...);
  visit(Field{"heavy", "heavy", "a heavy key, place:head:kvp_rank:mass; repeatable"}, b.heavy...);
  visit(Field{"tensors", "tensors", "safetensors file that replaces drawn tensors"}, b.tensors...);
}

template <typename Visit, Is<RopeScaling>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"factor", "factor", "YaRN: context extension", 1, 1e6}, b.factor...);
  visit(Field{"beta_fast", "fast", "YaRN: rotations above which a frequency is kept", 1e-3, 1e6},
        b.beta_fast...);
  visit(Field{"beta_slow", "slow", "YaRN: rotations below which it is interpolated", 1e-3, 1e6},
        b.beta_slow...);
  visit(Field{"original_max_position_embeddings", "orig", "YaRN: context trained on", 1, 16777216},
        b.original_max_position_embeddings...);
  visit(Field{"mscale", "mscale", "YaRN: attention factor's numerator", 0, 100}, b.mscale...);
  visit(Field{"mscale_all_dim", "mscaledim", "YaRN: its denominator, and on the logits", 0, 100},
        b.mscale_all_dim...);
}

template <typename Visit, Is<Problem>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"entry", "", "where the case enters the pipeline"}, b.entry...);
  visit(Field{"hidden_size", "hidden", "model width", 1, 65536}, b.hidden_size...);
  visit(Field{"num_heads", "heads", "query heads over all ranks", 1, 1024}, b.num_heads...);
  visit(Field{"q_lora_rank", "qlora", "query compression, 0 = none", 0, 8192}, b.q_lora_rank...);
  visit(Field{"kv_lora_rank", "kvlora", "latent width of the cache", 1, 8192}, b.kv_lora_rank...);
  visit(Field{"qk_nope_head_dim", "nope", "un-roped part of a head", 1, 4096},
        b.qk_nope_head_dim...);
  visit(Field{"qk_rope_head_dim", "rope", "roped part of a head, even", 2, 4096},
        b.qk_rope_head_dim...);
  visit(Field{"v_head_dim", "v", "value width of a head", 1, 4096}, b.v_head_dim...);
  visit(Field{"rms_norm_eps", "eps", "epsilon of the norms", 1e-30, 1}, b.rms_norm_eps...);
  visit(Field{"rope_theta", "theta", "base of the RoPE frequencies", 2, 1e12}, b.rope_theta...);
  visit(Field{"rope_interleave", "halves", "RoPE pairs (2j, 2j+1), not (j, j + P/2)"},
        b.rope_interleave...);
  visit(Field{"rope_scaling", "yarn", "yarn or none"}, b.rope_scaling...);
  visit(Field{"softmax_scale", "scale", "replaces the derived softmax scale", 1e-6, 1e3},
        b.softmax_scale...);
  visit(Field{"dtype", "", "of activations and weights"}, b.dtype...);
  visit(Field{"kv_cache_dtype", "kv", "of the cache: the dtype, or fp8_e4m3"}, b.kv_cache_dtype...);
  visit(Field{"kv_scale", "kvscale", "worth of a stored fp8 unit", 1e-6, 1e6}, b.kv_scale...);
  visit(Field{"ctx_len", "ctx", "prompt tokens: one number, or one per request", 0, 16777216},
        b.ctx_len...);
  visit(Field{"position_base", "base", "RoPE position of index 0", 0, 2147483647},
        b.position_base...);
  visit(Field{"predicted_tokens_per_seq", "tokens", "query tokens a request and step", 0, 8},
        b.predicted_tokens_per_seq...);
  visit(Field{"decode_steps", "steps", "decode steps", 0, 100000}, b.decode_steps...);
  visit(Field{"prompt", "", "cache rows of the prompt: computed or given"}, b.prompt...);
  visit(Field{"data", "", ""}, b.data...);
}

template <typename Visit, Is<Layout>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"kvp", "kvp", "ranks that the cache is sharded over", 1, 64}, b.kvp...);
  visit(Field{"tpa", "tpa", "tensor-parallel width of attention", 1, 64}, b.tpa...);
  visit(Field{"ownership", "", "which rank owns a prompt token"}, b.ownership...);
  visit(Field{"decode_owner", "", "which rank owns a generated token"}, b.decode_owner...);
  visit(Field{"interleave", "run", "tokens dealt to a rank at a time", 1, 65536}, b.interleave...);
  visit(Field{"kv_cache_tokens_per_block", "page", "tokens in a cache page", 1, 65536},
        b.kv_cache_tokens_per_block...);
  visit(Field{"page_order", "", "order of a request's pages in the pool"}, b.page_order...);
  visit(Field{"spare_pages", "spare", "poisoned pages that nobody owns", 0, 1024},
        b.spare_pages...);
  visit(Field{"page_id_base", "pageid", "smallest page id in use", 0, 2147483647},
        b.page_id_base...);
  visit(Field{"row_gap", "rowgap", "poisoned elements after a cache row", 0, 4096}, b.row_gap...);
  visit(Field{"page_gap", "pagegap", "poisoned elements after a page", 0, 1048576}, b.page_gap...);
  visit(Field{"padding_rows", "padding", "rows a step that belong to no request", 0, 64},
        b.padding_rows...);
  visit(Field{"poison", "poison_", "what unowned bytes hold"}, b.poison...);
  visit(Field{"lse_form", "lse_", "how softmax statistics are written"}, b.lse_form...);
}

template <typename Visit, Is<Run>... B>
void visit_fields(Visit&& visit, B&... b) {
  visit(Field{"world", "", "sim: one process, mpi: one process a rank"}, b.world...);
  visit(Field{"transport", "transport_", "between GPUs, mpi only: NCCL, or staged by the host"},
        b.transport...);
  visit(Field{"observe", "observe_", "which taps are read back"}, b.observe...);
  visit(Field{"instance", "", "of the subject: kept through the script, or renewed each step"},
        b.instance...);
  visit(Field{"launch", "", "of device work: direct, or as a recorded graph (world sim)"},
        b.launch...);
  visit(Field{"skew_us", "skew", "longest delay of a rank before a stage, mpi only", 0, 1000000},
        b.skew_us...);
  visit(Field{"verdict", "", "proven bounds, or the tolerances below"}, b.verdict...);
  visit(Field{"atol", "atol", "absolute tolerance of a mismatch", 0, 1e9}, b.atol...);
  visit(Field{"rtol", "rtol", "relative tolerance of a mismatch", 0, 1e9}, b.rtol...);
  visit(Field{"max_mismatch_ratio", "ratio", "share of mismatches allowed", 0, 1},
        b.max_mismatch_ratio...);
}

}  // namespace helixcheck
