#include "engine/records/attempt_record.h"

namespace millrace::engine {

Attempt to_attempt(std::uint32_t number, const AttemptRecord& record) {
  Attempt a;
  a.number = number;
  a.started = record.started;
  a.ended = record.ended;
  a.failure = record.failure;
  return a;
}

}  // namespace millrace::engine
