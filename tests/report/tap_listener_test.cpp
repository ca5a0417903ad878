// Dumped taps can be read back.

#include "report/tap_listener.hpp"

#include <gtest/gtest.h>

#include "generate/safetensors.hpp"
#include "scenario/error.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

TEST(TapDumper, WritesWhatWasShown) {
  const TemporaryFolder folder;
  const float lse[] = {1.5f, -2.0f};
  StepTaps taps;
  taps.step = 4;
  taps.ranks.resize(2);
  TapView& view = taps.ranks[1][static_cast<std::size_t>(Tap::lse)];
  view = TapView{true, false, Dtype::fp32, {1, 2}, reinterpret_cast<const std::byte*>(lse)};
  TapDumper(folder.path() / "new" / "folder").on_step(taps);
  const SafetensorsFile file(folder.path() / "new" / "folder" / "step4.safetensors");
  EXPECT_EQ(file.tensors().size(), 1u);
  EXPECT_EQ(file.values("rank1.lse"), (std::vector<double>{1.5, -2.0}));
}

TEST(TapDumper, RefusesAPlaceThatCannotBeAFolder) {
  const TemporaryFolder folder;
  EXPECT_THROW(TapDumper(folder.write("file", "x") + "/below"), InputError);
}

}  // namespace
}  // namespace helixcheck
