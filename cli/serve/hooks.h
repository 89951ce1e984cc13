// What a build may add to the server: build/millrace-testkit registers its test workflows here.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace millrace::engine {
class Registry;
}

namespace millrace::serve {

struct Hooks {
  Hooks() = default;
  std::function<void(engine::Registry&)> register_more;
};

}  // namespace millrace::serve
