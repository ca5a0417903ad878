// A plug-in for the tests: `attend` in plain C-style code against the public header alone. The
// environment variable ATTEND_OVERRIDE_FAULT plants a fault: "drops_key" leaves out each row's last
// visible key, "hangs" and "dies" do so on KVP rank 1.

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "subject/helixcheck_subject.h"

namespace {

float from_bf16(const void* data, int64_t i) {
  const uint16_t code = static_cast<const uint16_t*>(data)[i];
  const uint32_t bits = static_cast<uint32_t>(code) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

int64_t integer(const hxc_tensor& t, int64_t i, int64_t j = 0) {
  return static_cast<const int64_t*>(t.data)[i * t.stride[0] + j * t.stride[1]];
}

void attend_head(const hxc_step& step, int64_t row, int64_t head, int64_t request, int64_t keys) {
  const int64_t latent = step.model->kv_lora_rank;
  const int64_t width = latent + step.model->qk_rope_head_dim;
  const int64_t page = step.place->tokens_per_block;
  std::vector<double> scores(static_cast<size_t>(keys)), sum(static_cast<size_t>(latent), 0.0);
  const auto key_base = [&](int64_t i) {
    const int64_t id = integer(step.block_table, request, i / page);
    return id * step.cache.stride[0] + i % page * step.cache.stride[1];
  };
  const int64_t query = row * step.q.stride[0] + head * step.q.stride[1];
  double top = -INFINITY, total = 0;
  for (int64_t i = 0; i < keys; ++i) {
    double score = 0;
    for (int64_t d = 0; d < width; ++d) {
      score += static_cast<double>(from_bf16(step.q.data, query + d)) *
               from_bf16(step.cache.data, key_base(i) + d);
    }
    scores[static_cast<size_t>(i)] = score * step.model->softmax_scale;
    top = fmax(top, scores[static_cast<size_t>(i)]);
  }
  for (int64_t i = 0; i < keys; ++i) {
    const double p = exp(scores[static_cast<size_t>(i)] - top);
    total += p;
    for (int64_t j = 0; j < latent; ++j) {
      sum[static_cast<size_t>(j)] += p * from_bf16(step.cache.data, key_base(i) + j);
    }
  }
  auto* out = static_cast<uint16_t*>(step.partial_o.data) + row * step.partial_o.stride[0] +
              head * step.partial_o.stride[1];
  for (int64_t j = 0; j < latent; ++j) {
    out[j] = keys > 0 ? to_bf16(static_cast<float>(sum[static_cast<size_t>(j)] / total)) : 0;
  }
  auto* lse =
      static_cast<float*>(step.lse.data) + row * step.lse.stride[0] + head * step.lse.stride[1];
  *lse = keys > 0 ? static_cast<float>(top + log(total)) : -INFINITY;
}

int attend(void*, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const char* named = getenv("ATTEND_OVERRIDE_FAULT");
  const std::string fault = named != nullptr ? named : "";
  for (int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    if (fault == "hangs" && step.place->kvp_rank == 1) pause();
    if (fault == "dies" && step.place->kvp_rank == 1) raise(SIGKILL);
    if (step.model->dtype != HXC_BF16 || step.model->kv_dtype != HXC_BF16) {
      strcpy(error->message, "attend_override knows bf16 only");
      return HXC_UNSUPPORTED;
    }
    if (step.place->lse_form != HXC_LSE_LN) {
      strcpy(error->message, "attend_override knows natural-log LSEs only");
      return HXC_UNSUPPORTED;
    }
    for (int64_t row = 0; row < step.rows; ++row) {
      int64_t keys = integer(step.visible, row);
      if (fault == "drops_key" && keys > 1) --keys;
      for (int64_t head = 0; head < step.place->heads; ++head) {
        attend_head(step, row, head, integer(step.row_request, row), keys);
      }
    }
  }
  return 0;
}

const hxc_entry kEntries[] = {{HXC_ATTEND, HXC_ATTEND, attend}};
const hxc_subject kSubject = {HXC_ABI_VERSION, HXC_HOST, "attend_override", "cpu",  1,
                              kEntries,        nullptr,  nullptr,           nullptr};

}  // namespace

extern "C" const hxc_subject* helixcheck_subject(void) {
  return &kSubject;
}
