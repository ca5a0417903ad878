// Faults that only device code has: of splits, launches, the device's arithmetic and its addresses.
// The tables are in kernels/mutants.

#include "subject/mutants/classes.hpp"

namespace helixcheck::planted {
namespace {

constexpr Mutant mutant(std::string_view id, MutantClass mutant_class, hxc_stage stage,
                        std::string_view title, std::string_view source,
                        std::string_view smallest) {
  return {id, title, mutant_class, source, stage, smallest, nullptr};
}

// Splits have 64 keys: a 65th is in the second. Small products may stay in fp32 whatever is
// allowed.
constexpr Mutant kMutants[] = {
    mutant("device_split_weight_base_e", MutantClass::merge, HXC_ATTEND,
           "splits with maxima as powers of two are merged with powers of e",
           "sgl-project/sglang#35045", "ctx_len=64"),
    mutant("device_split_lse_not_stored", MutantClass::merge, HXC_ATTEND,
           "the merge of splits stores no LSE", "flashinfer-ai/flashinfer#58", "ctx_len=64"),
    mutant("device_empty_splits_merged", MutantClass::merge, HXC_ATTEND,
           "splits without keys, which wrote nothing, are merged", "vllm-project/vllm#47188",
           "kvp=2 ctx_len=256"),
    mutant("device_split_sequences_on_first", MutantClass::masks, HXC_ATTEND,
           "with several tokens a request, split results of all requests lie on the first",
           "vllm-project/flash-attention#176", "ctx_len=0,63 predicted_tokens_per_seq=2"),
    mutant("device_one_row_a_request", MutantClass::masks, HXC_ATTEND,
           "the grid of attention has a row for each request", "ROCm/ATOM#1746",
           "predicted_tokens_per_seq=2"),
    mutant("device_page_offset_int32", MutantClass::paging, HXC_ATTEND,
           "page id x page stride in 32 bits; what is missed reads as zeros",
           "vllm-project/vllm#50427", "page_id_base=715827883"),
    mutant("device_slot_offset_int32", MutantClass::paging, HXC_APPEND,
           "slot x row stride in 32 bits; what misses is dropped", "ROCm/aiter#4474",
           "entry=core page_id_base=715827883"),
    mutant("device_products_in_tf32", MutantClass::precision, HXC_PROJECT,
           "cuBLAS may compute products of fp32 in TF32", "like ml-explore/mlx#3860",
           "dtype=fp32 kv_cache_dtype=fp32 hidden_size=64 kv_lora_rank=64 ctx_len=0,0,0,0,0,0,0,0"),
    mutant("device_fast_trigonometry", MutantClass::position, HXC_PROJECT,
           "cos and sin of angles that are not reduced come from intrinsics", "kekzl/imp#1325",
           "dtype=fp32 kv_cache_dtype=fp32 position_base=131071"),
    mutant("device_requests_uploaded_once", MutantClass::stale_state, HXC_PLAN,
           "a step of the same sizes is planned with the requests of an earlier one",
           "vllm-project/vllm#35175", "decode_steps=2"),
};

}  // namespace

std::span<const Mutant> device() {
  return kMutants;
}

}  // namespace helixcheck::planted
