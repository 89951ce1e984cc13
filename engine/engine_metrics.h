// The engine's metrics; names in CONTRACT.md.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/metrics.h"
#include "engine/engine.h"
#include "engine/records/attempt_record.h"

namespace millrace::engine {

// Thread-safe; handles are made once for each type.
class EngineMetrics {
 public:
  void started(const std::string& type);
  void opened(const std::string& type, int change);  // +1, -1
  void evicted(int count);                           // left memory while they wait
  void blocked(const std::string& type, int change);
  void closed(const std::string& type, ExecutionStatus status, Duration took);
  void attempt(const std::string& step_type, AttemptOutcome outcome, bool timed_out);

 private:
  struct OfType;
  OfType& of(const std::string& type);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<OfType>> types_;
  std::map<std::pair<std::string, std::string>, Counter> attempts_;
};

}  // namespace millrace::engine
