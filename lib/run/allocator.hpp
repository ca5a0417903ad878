// The allocator's habits.

#pragma once

namespace helixcheck {

// Lets freed memory stay with the process, so that the next case finds its pages where the last one
// left them. For programs that run many cases; a no-op where the C library knows no such thing.
void keep_freed_memory();

}  // namespace helixcheck
