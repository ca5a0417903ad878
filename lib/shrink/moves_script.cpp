// Moves on the script, all of them through events (script_edit.hpp), so that none has to care about
// the numbering of requests.

#include <algorithm>
#include <set>

#include "shrink/cell_view.hpp"
#include "shrink/moves.hpp"
#include "shrink/script_edit.hpp"

namespace helixcheck {
namespace {

using Offer = Search::Offer;
using Events = std::vector<Event>;

constexpr std::int64_t kMaxTokensPerStep = 8;

// Applies `candidates` as often as it helps, while there is a script.
template <typename CandidatesOf>
bool while_it_helps(Search& search, const CandidatesOf& candidates) {
  bool progress = false;
  while (!search.current().script.empty()) {
    const Scenario base = search.current();
    const Events events = events_of(base);
    if (!search.first_failing([&](const Offer& offer) { candidates(base, events, offer); })) break;
    progress = true;
  }
  return progress;
}

Events without_use(Events events, std::size_t event, std::size_t use) {
  Event& from = events[event];
  from.requests.erase(from.requests.begin() + static_cast<std::ptrdiff_t>(use));
  if (!from.tokens.empty())
    from.tokens.erase(from.tokens.begin() + static_cast<std::ptrdiff_t>(use));
  return events;
}

// In all events but those that create the request, so that only what it does is dropped.
Events without_uses_of(Events events, std::int64_t request) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& requests = events[i].requests;
    const auto found = std::find(requests.begin(), requests.end(), request);
    if (found == requests.end() || events[i].kind == StepKind::join) continue;
    events = without_use(std::move(events), i, static_cast<std::size_t>(found - requests.begin()));
  }
  return events;
}

Events one_join_first(const Events& events) {
  Events joined{Event{StepKind::join, {}, {}, -1}};
  for (const Event& event : events) {
    if (event.kind == StepKind::join) {
      joined[0].requests.insert(joined[0].requests.end(), event.requests.begin(),
                                event.requests.end());
    } else {
      joined.push_back(event);
    }
  }
  std::sort(joined[0].requests.begin(), joined[0].requests.end());
  return joined;
}

// Requests of each step in ascending order, which an empty list can say.
Events sorted_uses(Events events) {
  for (Event& event : events) {
    std::vector<std::pair<std::int64_t, std::int64_t>> uses;
    for (std::size_t i = 0; i < event.requests.size(); ++i) {
      uses.emplace_back(event.requests[i], event.tokens.empty() ? 0 : event.tokens[i]);
    }
    std::sort(uses.begin(), uses.end());
    for (std::size_t i = 0; i < uses.size(); ++i) {
      event.requests[i] = uses[i].first;
      if (!event.tokens.empty()) event.tokens[i] = uses[i].second;
    }
  }
  return events;
}

// A rejection taken off the tokens decoded just before it.
std::optional<Event> net_decode(const Event& decode, const Event& reject) {
  Event net = decode;
  for (std::size_t i = 0; i < reject.requests.size(); ++i) {
    const auto known = std::find(net.requests.begin(), net.requests.end(), reject.requests[i]);
    if (known == net.requests.end()) return std::nullopt;
    std::int64_t& tokens = net.tokens[static_cast<std::size_t>(known - net.requests.begin())];
    tokens -= reject.tokens[i];
    if (tokens < 0) return std::nullopt;
  }
  return net;
}

// The two events as one: a request of both gets the sum of its tokens.
std::optional<Event> merged(const Event& first, const Event& second) {
  if (first.kind == StepKind::decode && second.kind == StepKind::reject) {
    return net_decode(first, second);
  }
  if (first.kind != second.kind || first.kind == StepKind::fork) return std::nullopt;
  Event both = first;
  for (std::size_t i = 0; i < second.requests.size(); ++i) {
    const auto known = std::find(both.requests.begin(), both.requests.end(), second.requests[i]);
    if (known == both.requests.end()) {
      both.requests.push_back(second.requests[i]);
      if (!second.tokens.empty()) both.tokens.push_back(second.tokens[i]);
    } else if (!second.tokens.empty()) {
      std::int64_t& tokens = both.tokens[static_cast<std::size_t>(known - both.requests.begin())];
      tokens += second.tokens[i];
      if (both.kind == StepKind::decode && tokens > kMaxTokensPerStep) return std::nullopt;
    }
  }
  return both;
}

// All later uses of the child become its parent's.
Events parent_does_it(Events events, std::size_t fork) {
  const std::int64_t child = events[fork].child, parent = events[fork].requests[0];
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(fork));
  for (std::size_t i = fork; i < events.size(); ++i) {
    std::replace(events[i].requests.begin(), events[i].requests.end(), child, parent);
  }
  return events;
}

// One request does what another does, too.
Events renamed(Events events, std::int64_t from, std::int64_t to) {
  for (Event& event : events) {
    std::replace(event.requests.begin(), event.requests.end(), from, to);
  }
  return events;
}

// The event at an earlier place; what a child did that is not born there, its parent does.
Events moved_up(Events events, std::size_t from, std::size_t to) {
  Event moved = events[from];
  for (std::size_t i = from; i-- > to;) {
    if (events[i].kind != StepKind::fork) continue;
    std::replace(moved.requests.begin(), moved.requests.end(), events[i].child,
                 events[i].requests[0]);
  }
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(from));
  events.insert(events.begin() + static_cast<std::ptrdiff_t>(to), std::move(moved));
  return events;
}

// Tokens that a step decoded become part of the prompts.
Scenario prompts_with(Scenario shorter, const Scenario& base, const Event& decode) {
  if (shorter.problem.batch() != base.problem.batch()) return shorter;
  for (std::size_t i = 0; i < decode.tokens.size(); ++i) {
    const std::int64_t id = decode.requests[i];
    if (decode.kind != StepKind::decode || id >= base.problem.batch()) continue;
    shorter.problem.ctx_len[static_cast<std::size_t>(id)] += decode.tokens[i];
  }
  return shorter;
}

}  // namespace

bool use_default_script(Search& search) {
  const Scenario base = search.current();
  if (base.script.empty()) return false;
  std::int64_t decodes = 0;
  std::set<std::int64_t> tokens{1, 2};
  for (const Event& event : events_of(base)) {
    if (event.kind != StepKind::decode) continue;
    ++decodes;
    tokens.insert(*std::max_element(event.tokens.begin(), event.tokens.end()));
  }
  std::set<std::int64_t> steps{1, 2, 3};
  steps.insert(decodes);
  return search.first_failing([&](const Offer& offer) {
    for (const std::int64_t count : steps) {
      for (const std::int64_t each : tokens) {
        Scenario plain = base;
        plain.script.clear();
        plain.problem.decode_steps = count;
        plain.problem.predicted_tokens_per_seq = each;
        if (offer(std::move(plain))) return;
      }
    }
  });
}

bool drop_script_steps(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    for (std::size_t chunk = events.size() / 2; chunk > 0; chunk /= 2) {
      for (std::size_t end = events.size(); end >= chunk; end -= chunk) {
        Events fewer = events;
        const auto last = fewer.begin() + static_cast<std::ptrdiff_t>(end);
        fewer.erase(last - static_cast<std::ptrdiff_t>(chunk), last);
        if (offer(with_events(base, fewer))) return;
      }
    }
  });
}

bool drop_script_uses(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    std::set<std::int64_t> requests;
    for (const Event& event : events) {
      requests.insert(event.requests.begin(), event.requests.end());
    }
    for (const std::int64_t request : requests) {
      if (offer(with_events(base, without_uses_of(events, request)))) return;
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].requests.size() < 2) continue;
      for (std::size_t use = 0; use < events[i].requests.size(); ++use) {
        if (offer(with_events(base, without_use(events, i, use)))) return;
      }
    }
  });
}

bool replace_forks(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].kind != StepKind::fork) continue;
      Events fewer = events;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (offer(with_events(base, fewer))) return;
      if (offer(with_events(base, parent_does_it(events, i)))) return;
    }
    const std::int64_t batch = base.problem.batch();
    for (std::int64_t dropped = 1; dropped < batch; ++dropped) {
      for (std::int64_t heir = 0; heir < dropped; ++heir) {
        const Events inherited = renamed(events, dropped, heir);
        if (offer(with_events(base, inherited, {dropped}))) return;
        Scenario same_length = base;
        auto& lengths = same_length.problem.ctx_len;
        lengths[static_cast<std::size_t>(heir)] = lengths[static_cast<std::size_t>(dropped)];
        if (offer(with_events(same_length, inherited, {dropped}))) return;
      }
    }
  });
}

bool reorder_script_steps(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    for (std::size_t to = 0; to + 1 < events.size(); ++to) {
      for (std::size_t from = to + 1; from < events.size(); ++from) {
        if (events[from].kind >= events[to].kind) continue;
        if (offer(with_events(base, moved_up(events, from, to)))) return;
      }
    }
  });
}

// Steps of other requests with smaller ids: the first one is as good as any.
bool lower_request_ids(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].kind == StepKind::join) continue;
      for (std::size_t j = 0; j < events[i].requests.size(); ++j) {
        const std::vector<std::int64_t>& named = events[i].requests;
        for (std::int64_t id = 0; id < named[j]; ++id) {
          if (std::find(named.begin(), named.end(), id) != named.end()) continue;
          Events lower = events;
          lower[i].requests[j] = id;
          if (offer(with_events(base, lower))) return;
        }
      }
    }
  });
}

bool shorten_script_with_numbers(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      Events fewer = events;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      const Scenario shorter = with_events(base, fewer);
      if (offer(prompts_with(shorter, base, events[i]))) return;
      const std::vector<CellView> all = view(shorter);
      for (std::size_t cell = 0; cell < all.size(); ++cell) {
        const bool number = all[cell].kind == CellKind::number && !all[cell].seed;
        if (!number || all[cell].rank == 0) continue;
        const std::uint64_t value = value_of(shorter, cell);
        if (value == 0) continue;
        if (offer_rank(shorter, cell, value_rank(shorter, cell, value - 1), offer)) return;
      }
    }
  });
}

bool merge_script_steps(Search& search) {
  return while_it_helps(search, [](const Scenario& base, const Events& events, const Offer& offer) {
    if (offer(with_events(base, sorted_uses(one_join_first(events))))) return;
    if (offer(with_events(base, one_join_first(events)))) return;
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
      const std::optional<Event> both = merged(events[i], events[i + 1]);
      if (!both) continue;
      Events fewer = events;
      fewer[i] = *both;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i + 1));
      if (offer(with_events(base, fewer))) return;
    }
    if (offer(with_events(base, sorted_uses(events)))) return;
    offer(with_events(base, events));
  });
}

}  // namespace helixcheck
