// Which KVP rank owns a token: the definition, shared by inputs and judge. Subjects have their own
// plan code; it is held against this.

#pragma once

#include <cstdint>

#include "scenario/scenario.hpp"

namespace helixcheck {

// KVP rank that owns the token at `index` of a request whose first `prompt_len` tokens are prompt.
std::int64_t owner_of(const Layout& layout, std::int64_t index, std::int64_t prompt_len);

// How many of the tokens 0 .. tokens-1 are owned by `kvp_rank`. Closed form.
std::int64_t owned_count(const Layout& layout, std::int64_t kvp_rank, std::int64_t tokens,
                         std::int64_t prompt_len);

// Index of the prompt token that is number `local` (from 0) among those `kvp_rank` owns; -1 if it
// owns fewer.
std::int64_t nth_owned_prompt(const Layout& layout, std::int64_t kvp_rank, std::int64_t local,
                              std::int64_t prompt_len);

}  // namespace helixcheck
