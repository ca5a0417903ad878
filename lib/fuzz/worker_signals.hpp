// What a worker says when it dies or hangs, since only the process itself knows its stack.

#pragma once

namespace helixcheck {

// Sent by the supervisor to a worker that hangs: print the stack of the main thread.
int stack_dump_signal();

// Ends this process with its parent, process `supervisor`; prints the stack on a fatal signal and
// on stack_dump_signal; ignores SIGPIPE. Leaves fatal signals to a sanitizer that is linked in.
void watch_worker_signals(int supervisor);

}  // namespace helixcheck
