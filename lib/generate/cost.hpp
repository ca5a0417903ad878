// What a case costs: a rough forecast, so that a generator can spend its time where it wants to.

#pragma once

#include "scenario/scenario.hpp"

namespace helixcheck {

// Seconds on one core from value to verdict, within a factor of a few: fixed parts, drawing of
// values, the subject's products and those of the judge. Takes time linear in the script.
double forecast_seconds(const Scenario& scenario);

}  // namespace helixcheck
