// Everything is checked when the file is opened, so that a run cannot stop half-way.

#include "generate/tensor_inputs.hpp"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdexcept>

#include "mla/formats.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

// The tensors of one prefix, converted to one dtype.
class PrefixReader {
 public:
  // `source` is "file" or "file#prefix".
  PrefixReader(const std::string& source, Dtype dtype)
      : file_(source.substr(0, source.rfind('#'))), dtype_(dtype) {
    const std::size_t mark = source.rfind('#');
    if (mark != std::string::npos) prefix_ = source.substr(mark + 1) + ".";
  }

  Tensor read(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const Tensor tensor = read_any(name);
    if (tensor.shape != shape) refuse(name, tensor, fmt::format("[{}]", fmt::join(shape, ", ")));
    return tensor;
  }

  Tensor read_hidden_states(std::int64_t requests, std::int64_t width) const {
    const Tensor tensor = read_any("hidden_states");
    if (tensor.shape.size() != 3 || tensor.shape[0] < requests || tensor.shape[2] != width) {
      refuse("hidden_states", tensor, fmt::format("[>= {}, tokens, {}]", requests, width));
    }
    return tensor;
  }

 private:
  Tensor read_any(const std::string& name) const {
    Tensor tensor(dtype_, file_.at(prefix_ + name).shape);
    encode_from(dtype_, std::span<const double>(file_.values(prefix_ + name)), tensor.bytes.data());
    return tensor;
  }

  [[noreturn]] void refuse(const std::string& name, const Tensor& tensor,
                           const std::string& expected) const {
    throw InputError(fmt::format("tensor '{}{}' has shape [{}], but the scenario needs {}", prefix_,
                                 name, fmt::join(tensor.shape, ", "), expected));
  }

  SafetensorsFile file_;
  std::string prefix_;
  Dtype dtype_;
};

Weights read_weights(const PrefixReader& reader, const Problem& p) {
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    return reader.read("weight." + name + ".weight", shape);
  };
  const std::int64_t query_width = p.num_heads * (p.qk_nope_head_dim + p.qk_rope_head_dim);
  Weights weights;
  if (p.q_lora_rank > 0) {
    weights.q_a = read("q_a_proj", {p.q_lora_rank, p.hidden_size});
    weights.q_a_norm = read("q_a_layernorm", {p.q_lora_rank});
    weights.q_b = read("q_b_proj", {query_width, p.q_lora_rank});
  } else {
    weights.q_b = read("q_proj", {query_width, p.hidden_size});
  }
  weights.kv_a = read("kv_a_proj_with_mqa", {p.kv_lora_rank + p.qk_rope_head_dim, p.hidden_size});
  weights.kv_a_norm = read("kv_a_layernorm", {p.kv_lora_rank});
  weights.kv_b =
      read("kv_b_proj", {p.num_heads * (p.qk_nope_head_dim + p.v_head_dim), p.kv_lora_rank});
  weights.o = read("o_proj", {p.hidden_size, p.num_heads * p.v_head_dim});
  return weights;
}

}  // namespace

TensorInputs::TensorInputs(const Scenario& scenario)
    : scenario_(scenario), rope_(resolve_rope(scenario.problem)) {
  const Problem& p = scenario_.problem;
  if (p.entry != Entry::layer || p.prompt != Prompt::computed) {
    throw InputError(
        "data.tensors is set: a tensor file serves entry 'layer' with prompt "
        "'computed' only");
  }
  const PrefixReader reader(p.data.tensors, p.dtype);
  weights_ = read_weights(reader, p);
  hidden_states_ = reader.read_hidden_states(p.batch(), p.hidden_size);
  check_draws();
}

// Replays the script to see which tokens it needs.
void TensorInputs::check_draws() const {
  const std::int64_t requests = hidden_states_.shape[0], tokens = hidden_states_.shape[1];
  const auto check = [&](Token token) {
    if (token.request < requests && token.draw < tokens) return;
    throw InputError(
        fmt::format("the script needs token {} of request {} (counted from 0), but tensor "
                    "'hidden_states' holds {} tokens of each of {} requests",
                    token.draw, token.request, tokens, requests));
  };
  for (std::int64_t id = 0; id < problem().batch(); ++id) {
    check({id, problem().ctx_len[static_cast<std::size_t>(id)] - 1});
  }
  History history(scenario_);
  for (const Step& step : expand_script(scenario_)) {
    for (const Row& row : history.apply(step)) check(row.token);
  }
}

void TensorInputs::hidden(Token first, std::int64_t count, std::byte* out) const {
  const std::int64_t tokens = hidden_states_.shape[1];
  assert(first.request < hidden_states_.shape[0] && first.draw + count <= tokens);
  const auto token_bytes =
      static_cast<std::int64_t>(size_of(hidden_states_.dtype)) * problem().hidden_size;
  const std::byte* source =
      hidden_states_.bytes.data() + (first.request * tokens + first.draw) * token_bytes;
  std::copy_n(source, count * token_bytes, out);
}

// The constructor admits only scenarios whose pipeline starts from hidden states.

void TensorInputs::latent(Token, std::int64_t, std::int64_t, std::byte*) const {
  throw std::logic_error("a tensor file gives no cache rows");
}

void TensorInputs::query(const Row&, std::byte*) const {
  throw std::logic_error("a tensor file gives no queries");
}

Partials TensorInputs::partials() const {
  throw std::logic_error("a tensor file gives no partials");
}

}  // namespace helixcheck
