/* The C boundary between Helixcheck and the code under test.
 *
 * A subject is a table of entries. Each entry implements one stage of the decode pipeline, or a
 * span of consecutive stages, by one function. Stages the table leaves out are done by the built-in
 * subject of the same memory: CPU or CUDA. A shared object exports `helixcheck_subject`, which
 * returns its table.
 *
 * All memory belongs to the caller. Tensors are views: shape and stride in elements; a stride may
 * be larger than the shape asks for, and what lies between is poisoned. An entry returns 0, or any
 * other number after writing one sentence into error->message. HXC_UNSUPPORTED says that the
 * subject does not take such a scenario (a format, a width, a page size): a search passes over it,
 * anything else is a finding, but for HXC_NO_MEMORY: then the machine lacks something.
 *
 * This header is a draft until a first outside subject has been written against it.
 */
#ifndef HELIXCHECK_SUBJECT_H
#define HELIXCHECK_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HXC_ABI_VERSION 2
#define HXC_UNSUPPORTED (-1)
#define HXC_NO_MEMORY (-2)

typedef enum {
  HXC_FP32 = 0,
  HXC_FP16 = 1,
  HXC_BF16 = 2,
  HXC_FP8_E4M3 = 3,
  HXC_INT64 = 4
} hxc_dtype;

typedef struct {
  void* data;    /* NULL: this tensor does not exist here */
  int32_t dtype; /* hxc_dtype */
  int32_t rank;  /* number of axes, 1..4 */
  int64_t shape[4];
  int64_t stride[4]; /* in elements */
} hxc_tensor;

typedef struct {
  char message[512];
} hxc_error;

typedef enum {
  HXC_PLAN,
  HXC_PROJECT,
  HXC_APPEND,
  HXC_ATTEND,
  HXC_EXCHANGE,
  HXC_COMBINE,
  HXC_OUTPUT,
  HXC_STAGE_COUNT
} hxc_stage;

/* Where tensors lie: step data, weights and workspace. Structs and `requests` are the host's. */
typedef enum { HXC_HOST, HXC_CUDA } hxc_memory;
typedef enum { HXC_LSE_LN, HXC_LSE_LOG2, HXC_LSE_MAX_SUM } hxc_lse_form;
typedef enum { HXC_CONTIGUOUS, HXC_CONTIGUOUS_BLOCKS, HXC_INTERLEAVED } hxc_ownership;
typedef enum { HXC_OWNER_LAST, HXC_OWNER_CONTINUED, HXC_OWNER_RESTARTED } hxc_decode_owner;

/* The layer, the same for all ranks. Symbols in brackets are those of the shapes below. */
typedef struct {
  int64_t hidden_size;      /* [D] */
  int64_t num_heads;        /* [H] over all ranks */
  int64_t q_lora_rank;      /* [Rq], 0 = none */
  int64_t kv_lora_rank;     /* [R] */
  int64_t qk_nope_head_dim; /* [N] */
  int64_t qk_rope_head_dim; /* [P] */
  int64_t v_head_dim;       /* [Vd] */
  double rms_norm_eps;
  double softmax_scale;
  double cos_scale;        /* multiplies cos and sin */
  const double* inv_freq;  /* [P/2] */
  int32_t rope_interleave; /* 1: pairs (2j, 2j+1); 0: halves (j, j + P/2) */
  int32_t dtype;           /* activations and weights */
  int32_t kv_dtype;
  double kv_scale;       /* a cache code c stands for c * kv_scale */
  int64_t position_base; /* RoPE position of index 0 */
} hxc_model;

/* Where this rank stands. rank = tpa_rank * kvp + kvp_rank. It computes the heads
 * [tpa_rank * Ht, (tpa_rank + 1) * Ht) and owns, after the exchange, the Hc heads from
 * tpa_rank * Ht + kvp_rank * Hc on. */
typedef struct {
  int32_t kvp, tpa, kvp_rank, tpa_rank;
  int64_t heads;        /* [Ht] = H / tpa */
  int64_t owned_heads;  /* [Hc] = H / (tpa * kvp) */
  int32_t ownership;    /* hxc_ownership */
  int32_t decode_owner; /* hxc_decode_owner */
  int64_t interleave;   /* tokens */
  int64_t tokens_per_block;
  int32_t lse_form; /* hxc_lse_form */
} hxc_rank;

/* This rank's weights, codes of model.dtype, views into the un-sharded tensors. */
typedef struct {
  hxc_tensor q_a;       /* [Rq, D] or absent */
  hxc_tensor q_a_norm;  /* [Rq] or absent */
  hxc_tensor q_b;       /* [Ht * (N + P), Rq], or [.., D] without q_lora; nope first per head */
  hxc_tensor kv_a;      /* [R + P, D], latent rows first */
  hxc_tensor kv_a_norm; /* [R] */
  hxc_tensor k_b;       /* [Ht, N, R] */
  hxc_tensor v_b;       /* [Hc, Vd, R] */
  hxc_tensor o;         /* [D, Hc * Vd] */
} hxc_weights;

/* One request of a step, before the step's new tokens. */
typedef struct {
  int64_t prompt_len;   /* of the request's tokens, how many came with the prompt */
  int64_t cached;       /* tokens before this step, over all ranks */
  int64_t query_tokens; /* rows of this step, 0.. */
} hxc_request;

/* Everything one rank holds in one step. Outputs of earlier stages are inputs of later ones. `B` is
 * the number of rows, padding included: rows of request 0, of request 1, ..., then padding rows.
 * In a prompt step (is_prompt = 1) only kv_c, latent and the cache are produced, for the prompt
 * rows this rank owns: `position` and `slot` are given and plan is not called. Entries that end
 * with `project` or `append` run it; a span that reaches further does not, the built-in stages do.
 *
 * What a stage does not produce is its input, and may not be written: every tap is taken right
 * after the stage that makes it. */
typedef struct {
  int64_t step;
  int32_t is_prompt;
  int64_t request_count;
  int64_t rows;                /* B */
  int64_t padding_rows;        /* of these, the last ones */
  const hxc_request* requests; /* [request_count] */
  hxc_tensor block_table;      /* int64 [request_count, max_pages], physical page ids; -1 beyond */
  hxc_tensor cache;            /* [pages, tokens_per_block, R + P], strides hold the gaps; page id p
                                  lies at data + p * stride[0] */
  hxc_tensor hidden;           /* [B, D] */
  /* plan */
  hxc_tensor position;    /* int64 [B], RoPE position; padding rows 0 */
  hxc_tensor slot;        /* int64 [B], page id * tokens_per_block + offset, -1: not written here */
  hxc_tensor local_len;   /* int64 [request_count], this rank's tokens after the step */
  hxc_tensor visible;     /* int64 [B], how many of them the row may see; padding rows 0 */
  hxc_tensor row_request; /* int64 [B], index into requests; padding rows -1 */
  /* project */
  hxc_tensor q_a;    /* [B, Rq]          W_qa x, as stored */
  hxc_tensor q_c;    /* [B, Rq]          RMSNorm(q_a) */
  hxc_tensor q_nope; /* [B, Ht, N + P]   un-absorbed, un-roped queries */
  hxc_tensor q;      /* [B, Ht, R + P]   absorbed, roped */
  hxc_tensor kv_c;   /* [B, R + P]       W_kva x, as stored */
  hxc_tensor latent; /* [B, R + P]       normed latent, roped k_pe */
  /* attend */
  hxc_tensor partial_o; /* [B, Ht, R]; +0 where nothing is visible */
  hxc_tensor lse;       /* fp32 [B, Ht, 1], or [B, Ht, 2] for max_sum; empty: -inf, or (-inf, 0) */
  /* exchange */
  hxc_tensor exchanged;     /* [kvp, B, Hc, R], first axis = source KVP rank */
  hxc_tensor exchanged_lse; /* fp32 [kvp, B, Hc, 1 or 2] */
  /* combine */
  hxc_tensor combined;     /* [B, Hc, R] */
  hxc_tensor combined_lse; /* fp32 [B, Hc], natural log whatever the lse_form */
  /* output */
  hxc_tensor v_up;      /* [B, Hc, Vd] */
  hxc_tensor o_partial; /* [B, D], this rank's share */
  hxc_tensor output;    /* [B, D], sum over all ranks */
  /* given at create time */
  const hxc_model* model;
  const hxc_rank* place;
  const hxc_weights* weights;
  void* workspace; /* workspace_bytes(limits) bytes, contents undefined at each stage */
  void* stream;    /* cudaStream_t; NULL for host memory */
} hxc_step;

typedef enum { HXC_GROUP_KVP, HXC_GROUP_ALL } hxc_group;

/* Collectives. A call covers every rank of this process: all of them in a simulated world, one
 * under MPI. send[i] and recv[i] belong to the i-th of these. Every rank of the world must enter
 * the same collectives in the same order; the world checks kind, bytes and step and reports a
 * difference. */
typedef struct hxc_comm {
  void* world;
  int32_t local_ranks; /* how many ranks this process runs */
  /* recv block p = the block that group member p addressed to me; blocks of `bytes` each */
  int (*all_to_all)(struct hxc_comm*, hxc_group, const void* const* send, void* const* recv,
                    size_t bytes, int64_t step, hxc_error*);
  /* recv block p = what group member p sent */
  int (*all_gather)(struct hxc_comm*, hxc_group, const void* const* send, void* const* recv,
                    size_t bytes, int64_t step, hxc_error*);
  /* recv = the sum over the group of `count` values of hxc_dtype; how it rounds is the world's */
  int (*all_reduce)(struct hxc_comm*, hxc_group, const void* const* send, void* const* recv,
                    int64_t count, int32_t dtype, int64_t step, hxc_error*);
  /* recv = my part, `count` values, of the sum over the group of as many parts as it has members */
  int (*reduce_scatter)(struct hxc_comm*, hxc_group, const void* const* send, void* const* recv,
                        int64_t count, int32_t dtype, int64_t step, hxc_error*);
} hxc_comm;

/* Largest values any step of the scenario will have; nothing may be allocated after create. */
typedef struct {
  int64_t max_rows;        /* of a decode step, padding included */
  int64_t max_prompt_rows; /* of a prompt step */
  int64_t max_requests, max_pages_per_request, max_local_len;
  int32_t local_ranks;
} hxc_limits;

/* A stage, or a span of stages, for all ranks of this process: ranks[0 .. comm->local_ranks). Local
 * stages simply loop over them. */
typedef int (*hxc_stage_fn)(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*);

typedef struct {
  int32_t first, last; /* hxc_stage, inclusive; first == last for a single stage */
  hxc_stage_fn run;
} hxc_entry;

typedef struct {
  int32_t abi_version; /* HXC_ABI_VERSION */
  int32_t memory;      /* hxc_memory. HXC_CUDA: an entry only enqueues work on step->stream, and
                          neither allocates nor synchronises; `plan` may do both */
  const char* name;
  const char* contract; /* name of a contract preset, see `helixcheck list contracts` */
  int32_t entry_count;
  const hxc_entry* entries;
  /* One instance lives through a scenario's whole script, and in a campaign through later scenarios
     of the same model, places and limits; what create was given stays where it is until destroy.
     Step numbers start again at 0; before, workspace_bytes is asked once. All may be NULL. */
  int (*create)(void** instance, const hxc_model*, const hxc_rank* const* places,
                const hxc_weights* const* weights, const hxc_limits*, hxc_error*);
  size_t (*workspace_bytes)(void* instance); /* for each rank */
  void (*destroy)(void* instance);
} hxc_subject;

/* What a plug-in exports. */
typedef const hxc_subject* (*hxc_subject_fn)(void);
#define HXC_SUBJECT_SYMBOL "helixcheck_subject"

#ifdef __cplusplus
}
#endif
#endif
