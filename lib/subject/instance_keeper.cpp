// What an instance was created from is copied, since an instance may hold on to it.

#include "subject/instance_keeper.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace helixcheck {
namespace {

thread_local InstanceKeeper* current_keeper = nullptr;

bool has_weights(const InstanceKeeper::Order& order) {
  return std::any_of(order.weights.begin(), order.weights.end(), [](const hxc_weights* weights) {
    return weights != nullptr && weights->o.data != nullptr;
  });
}

std::int64_t rounded(std::int64_t value) {
  return value <= 0 ? value
                    : static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(value)));
}

hxc_limits rounded(hxc_limits limits) {
  limits.max_rows = rounded(limits.max_rows);
  limits.max_prompt_rows = rounded(limits.max_prompt_rows);
  limits.max_requests = rounded(limits.max_requests);
  limits.max_pages_per_request = rounded(limits.max_pages_per_request);
  limits.max_local_len = rounded(limits.max_local_len);
  return limits;
}

class Key {
 public:
  template <typename... T>
  void add(const T&... values) {
    (text_.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Field by field: padding between fields has no value.
std::string key_of(const InstanceKeeper::Order& order, const hxc_limits& limits) {
  const hxc_model& m = order.model;
  Key key;
  key.add(m.hidden_size, m.num_heads, m.q_lora_rank, m.kv_lora_rank, m.qk_nope_head_dim,
          m.qk_rope_head_dim, m.v_head_dim, m.rms_norm_eps, m.softmax_scale, m.cos_scale,
          m.rope_interleave, m.dtype, m.kv_dtype, m.kv_scale, m.position_base);
  for (std::int64_t i = 0; m.inv_freq != nullptr && i < m.qk_rope_head_dim / 2; ++i) {
    key.add(m.inv_freq[i]);
  }
  for (const hxc_rank* p : order.places) {
    key.add(p->kvp, p->tpa, p->kvp_rank, p->tpa_rank, p->heads, p->owned_heads, p->ownership,
            p->decode_owner, p->interleave, p->tokens_per_block, p->lse_form);
  }
  key.add(limits.max_rows, limits.max_prompt_rows, limits.max_requests,
          limits.max_pages_per_request, limits.max_local_len, limits.local_ranks);
  return key.take();
}

}  // namespace

struct InstanceKeeper::Kept {
  const hxc_subject* table = nullptr;
  std::string key;
  std::uint64_t born = 0;  // scenario
  bool in_use = false;
  void* handle = nullptr;
  hxc_model model{};
  std::vector<double> inv_freq;
  std::vector<hxc_rank> places;
  std::vector<hxc_weights> weights;
  hxc_limits limits{};

  Kept(const Order& order, std::string as_key, std::uint64_t scenario)
      : table(&order.table),
        key(std::move(as_key)),
        born(scenario),
        model(order.model),
        limits(rounded(order.limits)) {
    if (order.model.inv_freq != nullptr) {
      inv_freq.assign(order.model.inv_freq,
                      order.model.inv_freq + order.model.qk_rope_head_dim / 2);
      model.inv_freq = inv_freq.data();
    }
    for (const hxc_rank* place : order.places) places.push_back(*place);
    for (const hxc_weights* one : order.weights) {
      weights.push_back(one == nullptr ? hxc_weights{} : *one);
    }
  }
  ~Kept() {
    if (handle != nullptr && table->destroy != nullptr) table->destroy(handle);
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  int create(hxc_error& error) {
    std::vector<const hxc_rank*> place_list;
    std::vector<const hxc_weights*> weight_list;
    for (const hxc_rank& place : places) place_list.push_back(&place);
    for (const hxc_weights& one : weights) weight_list.push_back(&one);
    return table->create(&handle, &model, place_list.data(), weight_list.data(), &limits, &error);
  }
};

InstanceKeeper::InstanceKeeper() {
  current_keeper = this;
}

InstanceKeeper::~InstanceKeeper() {
  current_keeper = nullptr;
}

InstanceKeeper* InstanceKeeper::current() {
  return current_keeper;
}

void InstanceKeeper::next_scenario() {
  ++scenario_;
  kept_.remove_if([&](const std::unique_ptr<Kept>& one) {
    return !one->in_use && scenario_ - one->born >= kLife;
  });
}

void* InstanceKeeper::take(const Order& order, int& status, hxc_error& error) {
  status = 0;
  if (has_weights(order)) {
    void* handle = nullptr;
    status = order.table.create(&handle, &order.model, order.places.data(), order.weights.data(),
                                &order.limits, &error);
    return handle;
  }
  std::string key = key_of(order, rounded(order.limits));
  for (const std::unique_ptr<Kept>& one : kept_) {
    if (one->in_use || one->table != &order.table || one->key != key) continue;
    one->in_use = true;
    ++reused_;
    return one->handle;
  }
  auto made = std::make_unique<Kept>(order, std::move(key), scenario_);
  status = made->create(error);
  made->in_use = true;
  if (status != 0) made->handle = nullptr;  // what it left there is not an instance
  void* handle = made->handle;
  if (handle != nullptr) kept_.push_back(std::move(made));  // there is nothing to keep of a null
  return handle;
}

void InstanceKeeper::give_back(const hxc_subject& table, void* handle, bool reusable) {
  const auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const auto& one) {
    return one->in_use && one->table == &table && one->handle == handle;
  });
  if (kept == kept_.end()) {
    if (table.destroy != nullptr) table.destroy(handle);
  } else if (reusable) {
    (*kept)->in_use = false;
  } else {
    kept_.erase(kept);
  }
}

}  // namespace helixcheck
