// The tables of a store, and how older ones become those of today. docs/store.md describes them.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/connection.hpp"

namespace helixcheck {

// From the schema version before it to `version`.
struct Migration {
  std::int64_t version = 0;
  const char* statements = "";
};

// Of every version so far, oldest first, without gaps from 1 on. A step that has been released is
// never changed: a new version is a new step.
std::span<const Migration> migrations();

enum class StoreKind {
  kEmpty,  // nothing was ever written to it
  kStore
};

// Whose file it is. Throws InputError if it is another program's, damaged, or of a schema newer
// than the last of `known`.
StoreKind store_kind(const Connection& connection, std::span<const Migration> known = migrations());

// Takes the steps that are missing, all or none. Throws as store_kind does.
void migrate(const Connection& connection, std::span<const Migration> known = migrations());

// Throws InputError if a page of the file is not as it must be. Reads the whole file.
void check_integrity(const Connection& connection);

}  // namespace helixcheck
