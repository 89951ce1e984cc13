// One of the parallel workers of a stream: takes split after split, a reader and a writer overlapping.
#pragma once

#include "common/awaitable.h"

namespace millrace::workflows {

class StreamSync;

// Ends when the stream has no split left for it, or stops. A failure is told to the stream (StreamSync::fail); it
// leaves this coroutine only where the stream's plan can't be resumed, so that the other workers are cancelled at once,
// or when it is a cancellation.
asio::awaitable<void> run_split_worker(StreamSync& stream);

}  // namespace millrace::workflows
