// Tests on a GPU: skipped, with the reason, where there is none.

#pragma once

#include <gtest/gtest.h>

#include "device/cuda.hpp"
#include "scenario/error.hpp"

namespace helixcheck {

class OnDevice : public testing::Test {
 protected:
  void SetUp() override {
    try {
      cuda::module();
    } catch (const ResourceError& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

}  // namespace helixcheck
