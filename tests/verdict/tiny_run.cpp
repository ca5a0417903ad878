// Script, prompt and the stages up to the cache. The other stages are in tiny_stages.cpp.

#include "tiny_run.hpp"

#include <algorithm>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "scenario/ownership.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {

Scenario tiny_scenario(Entry entry) {
  Scenario s;
  Problem& p = s.problem;
  p.entry = entry;
  p.hidden_size = 32;
  p.num_heads = 4;
  p.q_lora_rank = entry == Entry::layer ? 12 : 0;
  p.kv_lora_rank = 16;
  p.qk_nope_head_dim = 8;
  p.qk_rope_head_dim = 4;
  p.v_head_dim = 8;
  p.ctx_len = {13, 6};
  p.position_base = 100;
  p.predicted_tokens_per_seq = 2;
  p.prompt = entry == Entry::layer ? Prompt::computed : Prompt::given;
  s.layout.tpa = entry == Entry::merge ? 1 : 2;
  s.layout.kv_cache_tokens_per_block = 4;
  s.layout.padding_rows = entry == Entry::merge ? 0 : 1;
  return s;
}

double TinyRun::Shown::value(std::int64_t i) const {
  return helixcheck::decode(view.dtype, load_code(view.dtype, bytes.data(), i));
}

void TinyRun::Shown::set_value(std::int64_t i, double x) {
  store_code(view.dtype, bytes.data(), i, encode(view.dtype, x));
}

std::int64_t& TinyRun::Shown::integer(std::int64_t i) {
  return reinterpret_cast<std::int64_t*>(bytes.data())[i];
}

TinyRun::TinyRun(const Inputs& inputs)
    : inputs_(inputs),
      scenario_(inputs.scenario()),
      problem_(inputs.problem()),
      g_(scenario_),
      history_(scenario_) {}

Verdict TinyRun::judged(const Contract& contract, const Spoil& spoil) {
  Judge judge(inputs_, contract);
  show(judge, spoil);
  return judge.verdict();
}

void TinyRun::show(Observer& observer, const Spoil& spoil) {
  history_ = History(scenario_);
  cache_.clear();
  if (problem_.entry == Entry::merge) return merge_step(observer, spoil);
  const std::vector<Step> script = expand_script(scenario_);
  for (std::size_t i = 0; i < script.size(); ++i) {
    const Step& step = script[i];
    const auto number = static_cast<std::int64_t>(i);
    if (step.kind == StepKind::decode) {
      decode(number, step, observer, spoil);
      continue;
    }
    const std::int64_t child = history_.requests_ever();
    history_.apply(step);
    observer.on_event(step, history_);
    for (const std::int64_t id : step.requests) {
      if (step.kind == StepKind::join) join(number, id, observer);
      for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
        Rows& rows = cache_[{id, rank}];
        if (step.kind == StepKind::fork) cache_[{child, rank}] = rows;
        if (step.kind != StepKind::reject) continue;
        const RequestState& state = history_.request(id);
        const std::int64_t kept =
            owned_count(scenario_.layout, g_.kvp_rank(rank), state.tokens.size(), state.prompt_len);
        rows.resize(static_cast<std::size_t>(kept * g_.width) * size_of(g_.kv_dtype));
      }
    }
  }
}

std::vector<double> TinyRun::draw_hidden(std::span<const Token> tokens) const {
  Tensor codes(g_.dtype, {std::ssize(tokens), g_.hidden});
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    inputs_.hidden(tokens[i], 1, codes.bytes.data() + i * codes.bytes.size() / tokens.size());
  }
  return widen(codes);
}

std::vector<double> TinyRun::latent_rows(const std::vector<double>& kv_c,
                                         const std::vector<std::int64_t>& positions) const {
  std::vector<double> rows = kv_c;
  const std::vector<double> norm = widen(inputs_.weights().kv_a_norm);
  const auto width = static_cast<std::size_t>(g_.width),
             latent = static_cast<std::size_t>(g_.latent);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::span<double> row = std::span(rows).subspan(i * width, width);
    stages::rms_norm(std::span(kv_c).subspan(i * width, latent), norm, problem_.rms_norm_eps,
                     row.first(latent));
    stages::rope(row.subspan(latent), positions[i], inputs_.rope(), problem_.rope_interleave);
  }
  return rows;
}

void TinyRun::store(std::int64_t request, std::int64_t rank, const std::vector<double>& row) {
  std::vector<double> scaled = row;
  for (double& value : scaled) value /= problem_.kv_scale;
  Rows& rows = cache_[{request, rank}];
  const std::size_t end = rows.size();
  rows.resize(end + scaled.size() * size_of(g_.kv_dtype));
  encode_from(g_.kv_dtype, std::span<const double>(scaled), rows.data() + end);
}

void TinyRun::join(std::int64_t step, std::int64_t id, Observer& observer) {
  const std::int64_t length = history_.request(id).prompt_len;
  const bool computed = problem_.entry == Entry::layer && problem_.prompt == Prompt::computed;
  const std::vector<double> kv_a = widen(inputs_.weights().kv_a);
  PromptTaps taps{step, id, {}, &history_};
  taps.ranks.resize(static_cast<std::size_t>(g_.ranks));
  shown_.assign(static_cast<std::size_t>(g_.ranks), {});
  for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
    PromptTaps::RankRows& rows = taps.ranks[static_cast<std::size_t>(rank)];
    std::vector<std::int64_t> positions;
    std::vector<Token> tokens;
    for (std::int64_t i = 0; i < length; ++i) {
      if (owner_of(scenario_.layout, i, length) != g_.kvp_rank(rank)) continue;
      rows.index.push_back(i);
      positions.push_back(problem_.position_base + i);
      tokens.push_back({id, i});
    }
    const std::int64_t count = std::ssize(tokens);
    if (computed) {
      std::vector<double> kv_c(static_cast<std::size_t>(count * g_.width));
      stages::linear(draw_hidden(tokens), kv_a, count, g_.hidden, g_.width, kv_c);
      put(rank, Tap::kv_c, g_.dtype, {count, g_.width}, kv_c);
      put(rank, Tap::latent, g_.dtype, {count, g_.width},
          latent_rows(get(rank, Tap::kv_c), positions));
    } else {
      Tensor latent(g_.dtype, {count, g_.width});
      for (std::int64_t i = 0; i < count; ++i) {
        const std::size_t row = latent.bytes.size() / static_cast<std::size_t>(count);
        inputs_.latent(tokens[static_cast<std::size_t>(i)], rows.index[static_cast<std::size_t>(i)],
                       1, latent.bytes.data() + static_cast<std::size_t>(i) * row);
      }
      put(rank, Tap::latent, g_.dtype, latent.shape, widen(latent));
    }
    const std::vector<double> latent = get(rank, Tap::latent);
    for (std::int64_t i = 0; i < count; ++i) {
      store(id, rank, {latent.begin() + i * g_.width, latent.begin() + (i + 1) * g_.width});
    }
  }
  if (!computed) return;
  if (spoil_prompt) spoil_prompt(step, shown_);
  StepTaps views;
  publish(views);
  for (std::size_t rank = 0; rank < views.ranks.size(); ++rank) {
    taps.ranks[rank].kv_c = views.ranks[rank][static_cast<std::size_t>(Tap::kv_c)];
    taps.ranks[rank].latent = views.ranks[rank][static_cast<std::size_t>(Tap::latent)];
  }
  observer.on_prompt(taps);
}

void TinyRun::decode(std::int64_t step, const Step& what, Observer& observer, const Spoil& spoil) {
  std::vector<StepRequest> requests;
  for (std::size_t i = 0; i < what.requests.size(); ++i) {
    const RequestState& state = history_.request(what.requests[i]);
    requests.push_back({state.id, state.prompt_len, state.tokens.size(), what.tokens[i]});
  }
  const std::vector<Row> rows = history_.apply(what);
  StepTaps taps;
  taps.step = step;
  taps.requests = requests;
  taps.rows = rows;
  taps.padding_rows = scenario_.layout.padding_rows;
  taps.history = &history_;
  shown_.assign(static_cast<std::size_t>(g_.ranks), {});
  for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
    plan(rank, taps);
    if (problem_.entry == Entry::layer) project(rank, taps);
    append(rank, taps);
    attend(rank, taps);
  }
  for (std::int64_t rank = 0; rank < g_.ranks; ++rank) {
    exchange(rank);
    combine(rank);
  }
  if (problem_.entry == Entry::layer) output();
  if (spoil) spoil(step, shown_);
  publish(taps);
  observer.on_step(taps);
}

void TinyRun::put(std::int64_t rank, Tap tap, Dtype dtype, std::vector<std::int64_t> shape,
                  const std::vector<double>& values) {
  Shown& shown = shown_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
  shown.view.present = true;
  shown.view.dtype = dtype;
  shown.view.shape = std::move(shape);
  shown.bytes.resize(values.size() * size_of(dtype));
  encode_from(dtype, std::span<const double>(values), shown.bytes.data());
}

void TinyRun::put_integers(std::int64_t rank, Tap tap, const std::vector<std::int64_t>& values,
                           std::vector<std::int64_t> shape) {
  Shown& shown = shown_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
  shown.view.present = true;
  shown.view.integers = true;
  shown.view.shape = std::move(shape);
  shown.bytes.resize(values.size() * sizeof(std::int64_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    shown.integer(static_cast<std::int64_t>(i)) = values[i];
  }
}

std::vector<double> TinyRun::get(std::int64_t rank, Tap tap) const {
  const Shown& shown = shown_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
  std::vector<double> values(static_cast<std::size_t>(shown.view.elements()));
  decode_to(shown.view.dtype, shown.bytes.data(), std::span<double>(values));
  return values;
}

void TinyRun::publish(StepTaps& taps) {
  taps.ranks.assign(shown_.size(), {});
  for (std::size_t rank = 0; rank < shown_.size(); ++rank) {
    for (std::size_t i = 0; i < kTapCount; ++i) {
      TapView view = shown_[rank][i].view;
      view.data = shown_[rank][i].bytes.data();
      const bool shown =
          std::find(hidden.begin(), hidden.end(), static_cast<Tap>(i)) == hidden.end();
      if (shown) taps.ranks[rank][i] = view;
    }
  }
}

}  // namespace helixcheck
