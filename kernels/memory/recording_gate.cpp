// A lock that recordings share and device-wide calls have alone.

#include "kernels/memory/recording_gate.hpp"

#include <shared_mutex>

namespace helixcheck::cuda {
namespace {

// Never destroyed: threads end after `main` does.
std::shared_mutex& gate() {
  static auto* mutex = new std::shared_mutex;
  return *mutex;
}

thread_local bool recording = false;

}  // namespace

void begin_recording_section() {
  gate().lock_shared();
  recording = true;
}

void end_recording_section() {
  recording = false;
  gate().unlock_shared();
}

DeviceWideCall::DeviceWideCall() : locked_(!recording) {
  if (locked_) gate().lock();
}

DeviceWideCall::~DeviceWideCall() {
  if (locked_) gate().unlock();
}

}  // namespace helixcheck::cuda
