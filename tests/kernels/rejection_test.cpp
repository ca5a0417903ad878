// Every check can fail on what a GPU computed, too.

#include "kernels/device.hpp"
#include "support/rejection_sweep.hpp"

namespace helixcheck {
namespace {

using CudaRejection = OnDevice;

TEST_F(CudaRejection, SmallLayer) {
  for (const Formats& formats : kFormats) {
    reject_every_damage(layer(formats, false), *find_subject("cuda"));
  }
}

TEST_F(CudaRejection, LargeLayer) {
  for (const Formats& formats : kFormats) {
    reject_every_damage(layer(formats, true), *find_subject("cuda"));
  }
}

TEST_F(CudaRejection, LargeCore) {
  reject_every_damage(core(kFormats[0], 32768), *find_subject("cuda"));
}

}  // namespace
}  // namespace helixcheck
