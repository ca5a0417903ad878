#include "shrink/signature.hpp"

#include <fmt/format.h>

namespace helixcheck {

std::string to_text(const Signature& signature) {
  return fmt::format("{}/{}/{}/{}", signature.property, signature.subject, signature.kind,
                     signature.stage.empty() ? "-" : signature.stage);
}

}  // namespace helixcheck
