// A plug-in that crashes while it is loaded, in a static constructor.

#include <csignal>

#include "subject/helixcheck_subject.h"

namespace {

const int kCrashed = std::raise(SIGSEGV);

}  // namespace

extern "C" const hxc_subject* helixcheck_subject(void) {
  (void)kCrashed;
  return nullptr;
}
