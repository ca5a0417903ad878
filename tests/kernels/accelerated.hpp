// What tests of the fp64 reference on the GPU share.

#pragma once

#include "kernels/device.hpp"
#include "mla/accelerator.hpp"

namespace helixcheck {

class Accelerated : public OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    accelerator_ = &cuda::accelerator();
    accelerator_->forget();
  }
  Accelerator& accelerator() const { return *accelerator_; }

 private:
  Accelerator* accelerator_ = nullptr;
};

}  // namespace helixcheck
