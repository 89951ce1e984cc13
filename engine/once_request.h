// A request to a run that carries an id of its own: done once, however often it comes. Its row (keys::dedupe, scope
// "<verb>/<run id>") is written in the batch that does it and goes with the run.
#pragma once

#include <memory>
#include <string>

#include "common/awaitable.h"
#include "engine/running_execution.h"
#include "state/store.h"

namespace millrace::engine {

class OnceRequest {
 public:
  // `scope` is the verb. `request_id` empty: it is done each time. `digest` tells another request under the same id.
  OnceRequest(std::string scope, const std::string& run_id, std::string request_id, std::string digest);
  // By the store. Throws idempotency.mismatch.
  asio::awaitable<bool> done_before(std::shared_ptr<state::Store> store) const;
  // By what this process has done to the run, also where its batch is still on its way. On the run's strand.
  bool is_done(const RunningExecution& execution) const;
  void done(Transaction& tx, RunningExecution& execution) const;

 private:
  std::string name_, key_, id_, digest_;
};

}  // namespace millrace::engine
