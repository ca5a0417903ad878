// What tests of the fp64 reference on the GPU share.

#pragma once

#include <gtest/gtest.h>
#include <string>

#include "device/cuda.hpp"
#include "mla/accelerator.hpp"
#include "scenario/error.hpp"

namespace helixcheck {

// Skips where there is no GPU.
class OnDevice : public testing::Test {
 protected:
  void SetUp() override {
    try {
      cuda::module();
    } catch (const ResourceError&) {
      GTEST_SKIP() << cuda::state();
    }
    accelerator_ = &cuda::accelerator();
    accelerator_->forget();
  }
  Accelerator& accelerator() const { return *accelerator_; }

 private:
  Accelerator* accelerator_ = nullptr;
};

}  // namespace helixcheck
