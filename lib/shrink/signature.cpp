#include "shrink/signature.hpp"

#include <fmt/format.h>

namespace helixcheck {

std::string to_text(const Signature& signature) {
  return fmt::format("{}/{}/{}/{}", signature.property, signature.subject, signature.kind,
                     signature.stage.empty() ? "-" : signature.stage);
}

std::optional<Signature> parse_signature(const std::string& text) {
  const std::size_t property = text.find('/'), stage = text.rfind('/');
  const std::size_t kind = stage == 0 ? stage : text.rfind('/', stage - 1);
  if (property == std::string::npos || kind <= property || kind == std::string::npos ||
      stage + 1 == text.size()) {
    return std::nullopt;
  }
  Signature signature{text.substr(0, property), text.substr(property + 1, kind - property - 1),
                      text.substr(kind + 1, stage - kind - 1), text.substr(stage + 1)};
  if (signature.stage == "-") signature.stage.clear();
  return signature;
}

}  // namespace helixcheck
