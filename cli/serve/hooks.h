// What a build may add to the server: build/millrace-testkit registers its test workflows here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/runtime.h"

namespace CLI {
class App;
}

namespace millrace::engine {
class Registry;
}

namespace millrace::serve {

struct Hooks {
  Hooks() = default;
  std::function<void(engine::Registry&)> register_more;
  std::function<void(CLI::App& server)> add_options;  // flags of `server`; parsed before register_more is called
  std::function<Runtime(Runtime real)> wrap_runtime;  // what the server takes for the outside world
};

}  // namespace millrace::serve
