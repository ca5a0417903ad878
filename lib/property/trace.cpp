// Each rank shows its own heads; a trace puts them where they belong among all heads.

#include "property/trace.hpp"

#include <algorithm>
#include <cstring>

#include "helix/pipeline.hpp"
#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "scenario/script.hpp"
#include "verdict/geometry.hpp"
#include "verdict/lse_form.hpp"

namespace helixcheck {
namespace {

constexpr double kSourceBytes = 0x1p29;

class Tracer : public Observer {
 public:
  Tracer(const Scenario& scenario, const TraceWants& wants)
      : scenario_(scenario), geometry_(scenario), wants_(wants) {}

  void on_prompt(const PromptTaps&) override {}
  void on_event(const Step&, const History&) override {}
  void on_step(const StepTaps& taps) override;

  Trace take() { return std::move(trace_); }

 private:
  const TapView* find(const StepTaps& taps, std::int64_t rank, Tap tap) const {
    const TapView& view = taps.ranks[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
    return view.present ? &view : nullptr;
  }
  bool name_rows(const StepTaps& taps, TraceStep& step) const;
  template <typename Value>
  void gather_heads(const StepTaps& taps, Tap tap, bool owned, std::int64_t per_head,
                    std::vector<Value>& to) const;
  void keep_sources(const StepTaps& taps, TraceStep& step) const;
  void keep_statistics(const StepTaps& taps, TraceStep& step) const;

  const Scenario& scenario_;
  const Geometry geometry_;
  const TraceWants wants_;
  Trace trace_;
};

// False where a plan that points outside its memory has ended the run.
bool Tracer::name_rows(const StepTaps& taps, TraceStep& step) const {
  const bool layer = scenario_.problem.entry == Entry::layer;
  step.step = taps.step;
  step.rows.assign(taps.rows.begin(), taps.rows.end());
  if (scenario_.problem.entry == Entry::merge) {
    for (std::size_t i = 0; i < step.rows.size(); ++i) {
      step.rows[i].token.draw = static_cast<std::int64_t>(i);
    }
  }
  std::int64_t row = 0;
  for (const StepRequest& r : taps.requests) {
    step.requests.push_back({r.id, r.prompt_len, r.cached + r.query_tokens, row, r.query_tokens});
    row += r.query_tokens;
  }
  return find(taps, 0, layer ? Tap::output : Tap::combined) != nullptr;
}

// [rows, heads of a rank, per_head] of every rank to [rows, H, per_head]. `owned`: the heads a rank
// has after the exchange, else those it computes, taken from KVP rank 0.
template <typename Value>
void Tracer::gather_heads(const StepTaps& taps, Tap tap, bool owned, std::int64_t per_head,
                          std::vector<Value>& to) const {
  const TapView* any = find(taps, 0, tap);
  if (any == nullptr) return;
  const Geometry& g = geometry_;
  const auto item = static_cast<std::int64_t>(size_of(any->dtype));
  const std::int64_t bytes = per_head * item;
  const std::int64_t heads = owned ? g.owned_heads : g.rank_heads;
  const std::int64_t rows = std::ssize(taps.rows);
  to.resize(static_cast<std::size_t>(rows * g.heads * bytes) / sizeof(Value));
  auto* out = reinterpret_cast<std::byte*>(to.data());
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    if (!owned && g.kvp_rank(rank) != 0) continue;
    const std::int64_t first = owned ? g.first_owned(rank) : g.first_head(rank);
    const std::byte* from = find(taps, rank, tap)->data;
    for (std::int64_t row = 0; row < rows; ++row) {
      std::memcpy(out + (row * g.heads + first) * bytes, from + row * heads * bytes,
                  static_cast<std::size_t>(heads * bytes));
    }
  }
}

void Tracer::keep_sources(const StepTaps& taps, TraceStep& step) const {
  if (scenario_.problem.entry == Entry::layer) {
    gather_heads(taps, Tap::q, false, geometry_.width, step.query);
  }
  for (std::int64_t rank = 0; rank < geometry_.kvp; ++rank) {
    const TapView* rows = find(taps, geometry_.rank_of(0, rank), Tap::cache_rows);
    if (rows == nullptr) return;
    const auto bytes = static_cast<std::size_t>(rows->elements()) * size_of(rows->dtype);
    step.cache.emplace_back(rows->data, rows->data + bytes);
  }
}

void Tracer::keep_statistics(const StepTaps& taps, TraceStep& step) const {
  const Geometry& g = geometry_;
  if (find(taps, 0, Tap::lse) == nullptr) return;
  const std::int64_t rows = std::ssize(taps.rows);
  step.lse.resize(static_cast<std::size_t>(g.kvp * rows * g.heads));
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const auto* from = reinterpret_cast<const float*>(find(taps, rank, Tap::lse)->data);
    for (std::int64_t lane = 0; lane < rows * g.rank_heads; ++lane) {
      const std::int64_t row = lane / g.rank_heads, head = g.first_head(rank) + lane % g.rank_heads;
      step.lse[static_cast<std::size_t>((g.kvp_rank(rank) * rows + row) * g.heads + head)] =
          natural_lse(scenario_.layout.lse_form, from + lane * g.lse_values);
    }
  }
}

void Tracer::on_step(const StepTaps& taps) {
  TraceStep& step = trace_.steps.emplace_back();
  if (!name_rows(taps, step)) {
    trace_.error =
        Failure{"error", Blame{Stage::plan, std::nullopt, {}, "plan points outside its memory"}};
    return;
  }
  gather_heads(taps, Tap::combined, true, geometry_.latent, step.combined);
  gather_heads(taps, Tap::combined_lse, true, 1, step.combined_lse);
  if (const TapView* output = find(taps, 0, Tap::output)) {
    const auto bytes =
        taps.rows.size() * static_cast<std::size_t>(geometry_.hidden) * size_of(output->dtype);
    step.output.assign(output->data, output->data + bytes);
  }
  if (scenario_.problem.entry == Entry::merge) return;
  if (wants_.sources) keep_sources(taps, step);
  if (wants_.statistics) keep_statistics(taps, step);
}

}  // namespace

bool sources_fit(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  if (p.entry == Entry::merge) return true;
  Roster roster(p);
  std::int64_t rows = 0, queries = 0;
  for (const Step& step : expand_script(scenario)) {
    roster.apply(step);
    if (step.kind != StepKind::decode) continue;
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      rows += roster.requests()[static_cast<std::size_t>(step.requests[i])].tokens;
      queries += step.tokens[i] * p.num_heads;
    }
  }
  const auto row_bytes = static_cast<double>((p.kv_lora_rank + p.qk_rope_head_dim) *
                                             static_cast<std::int64_t>(size_of(p.dtype)));
  return static_cast<double>(rows + queries) * row_bytes <= kSourceBytes;
}

Trace take_trace(const Inputs& inputs, const Subject& subject, const TraceWants& wants) {
  Tracer tracer(inputs.scenario(), wants);
  std::optional<Failure> error;
  try {
    const std::unique_ptr<World> world = make_sim_world(inputs.scenario());
    Pipeline pipeline(inputs, *world, subject);
    pipeline.run(tracer);
  } catch (const SubjectError& fault) {
    error = Failure{"error", {}};
    if (const auto* at = dynamic_cast<const StageError*>(&fault)) {
      error->blame.stage = static_cast<Stage>(at->stage);
    }
    error->blame.sentence = fault.what();
  }
  Trace trace = tracer.take();
  if (error) trace.error = error;
  return trace;
}

std::vector<std::byte> keys_by_index(const Inputs& inputs, const TraceStep& step, std::int64_t slot,
                                     std::int64_t count) {
  const Layout& layout = inputs.scenario().layout;
  const Problem& p = inputs.problem();
  const auto bytes =
      static_cast<std::size_t>(p.kv_lora_rank + p.qk_rope_head_dim) * size_of(p.kv_cache_dtype);
  const std::span<const TraceRequest> before_it(step.requests.data(),
                                                static_cast<std::size_t>(slot));
  std::vector<const std::byte*> next;  // by rank: the request's first row not yet taken
  for (std::size_t rank = 0; rank < step.cache.size(); ++rank) {
    std::int64_t rows = 0;
    for (const TraceRequest& other : before_it) {
      rows += owned_count(layout, static_cast<std::int64_t>(rank), other.tokens, other.prompt_len);
    }
    next.push_back(step.cache[rank].data() + static_cast<std::size_t>(rows) * bytes);
  }
  const std::int64_t prompt_len = step.requests[static_cast<std::size_t>(slot)].prompt_len;
  std::vector<std::byte> keys(static_cast<std::size_t>(count) * bytes);
  for (std::int64_t index = 0; index < count; ++index) {
    const std::byte*& from = next[static_cast<std::size_t>(owner_of(layout, index, prompt_len))];
    std::memcpy(keys.data() + static_cast<std::size_t>(index) * bytes, from, bytes);
    from += bytes;
  }
  return keys;
}

bool before(const Token& a, const Token& b) {
  return a.request != b.request ? a.request < b.request : a.draw < b.draw;
}

std::vector<TraceRow> rows_of(const Trace& trace) {
  std::vector<TraceRow> rows;
  for (std::size_t step = 0; step < trace.steps.size(); ++step) {
    const TraceStep& shown = trace.steps[step];
    for (std::size_t row = 0; row < shown.rows.size(); ++row) {
      rows.push_back({shown.rows[row].token, step, row});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const TraceRow& a, const TraceRow& b) { return before(a.token, b.token); });
  return rows;
}

}  // namespace helixcheck
