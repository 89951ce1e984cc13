// A set of steps and timers that are cancelled together; scopes lie in each other. The outermost is cancelled by a
// cancel request.
#pragma once

#include <memory>

namespace millrace::engine {

struct Scope {
  std::shared_ptr<Scope> parent;  // empty: the outermost
  bool shielded = false;          // the parent's cancellation stops here
  bool cancelled = false;

  bool is_cancelled() const { return cancelled || (!shielded && parent && parent->is_cancelled()); }
  // The cancellation of `other` reaches this scope.
  bool is_within(const Scope& other) const {
    return this == &other || (!shielded && parent && parent->is_within(other));
  }
};
using ScopePtr = std::shared_ptr<Scope>;

}  // namespace millrace::engine
