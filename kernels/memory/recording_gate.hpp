// Recordings and the calls that would spoil them. While one thread records its stream, another that
// frees memory or ends a stream makes the driver wait for the whole device, which ends the
// recording with an error.

#pragma once

namespace helixcheck::cuda {

// Held by a thread while it records; any number at a time.
void begin_recording_section();
void end_recording_section();

// Held around calls that wait for the device. A thread that records itself does not wait for
// itself.
class DeviceWideCall {
 public:
  DeviceWideCall();
  ~DeviceWideCall();
  DeviceWideCall(const DeviceWideCall&) = delete;
  DeviceWideCall& operator=(const DeviceWideCall&) = delete;

 private:
  bool locked_;
};

}  // namespace helixcheck::cuda
