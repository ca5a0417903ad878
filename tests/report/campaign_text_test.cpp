// A campaign on a terminal.

#include "report/campaign_text.hpp"

#include <gtest/gtest.h>

#include "made_up_campaign.hpp"

namespace helixcheck {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DescribeCampaign, HoldsWhatIsNeeded) {
  const std::string text = describe(made_up_campaign());
  for (const char* part :
       {"campaign 3 of nightly.db: subject ./build/libdcp_attention.so, seed 18446744073709551557",
        "finished, 2026-11-21T22:00:04Z to 2026-11-22T06:00:09Z, 8 h 0 min of 8 h 0 min\n",
        "4 findings, 3 of them new, in ", "5.6 % of the workers' time outside cases",
        "worst error / bound by tap: position 0 slot 0", " combined_lse inf",
        "worker 4 was restarted: signal 11", "fails for: any batch, entry != merge",
        "replay: helixcheck run --entry core"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
}

TEST(DescribeCampaign, TellsOnlyWhatTheCampaignSawInFull) {
  const std::string text = describe(made_up_campaign());
  EXPECT_TRUE(holds(text, "earlier  repetition/dcp_attention/nondeterminism/exchange"));
  EXPECT_FALSE(holds(text, "two runs of one scenario differ"));
  EXPECT_TRUE(holds(text, "rank 1 has waited in exchange"));
}

TEST(DescribeCampaign, DoesNotLetASubjectSteerTheTerminal) {
  CampaignView view = made_up_campaign();
  view.findings[1].blame = "\x1b[2Jgone\x7f";
  const std::string text = describe(view);
  EXPECT_FALSE(holds(text, "\x1b"));
  EXPECT_TRUE(holds(text, "\\x1b[2Jgone\\x7f"));
}

TEST(DescribeCampaign, OfOneThatHasJustBegun) {
  const std::string text = describe(made_up_empty_campaign());
  EXPECT_TRUE(holds(text, "running, 2026-11-22T06:00:11Z to -, 0 s\n")) << text;
  EXPECT_TRUE(holds(text, "No findings, in 0 cases\n"));
  EXPECT_FALSE(holds(text, "signature"));
}

}  // namespace
}  // namespace helixcheck
