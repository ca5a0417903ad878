// A world as the C boundary sees it.

#pragma once

#include "subject/helixcheck_subject.h"
#include "world/world.hpp"

namespace helixcheck {

// The world must outlive the result. Exceptions of the world become status and message.
hxc_comm make_communicator(World& world);

}  // namespace helixcheck
