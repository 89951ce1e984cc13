// Plays a story against a life of the server.
#pragma once

#include <memory>

#include "tests/sim/life.h"
#include "tests/sim/story.h"

namespace millrace::sim {

// Goes on where the last life left the story; ends when the story has, or with the life. Both outlive it.
asio::awaitable<void> play(Life* life, Story* story, Chance chance);

}  // namespace millrace::sim
