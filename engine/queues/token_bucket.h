// How many may start a second: a bucket that holds at most one second's worth.
#pragma once

#include <algorithm>

#include "common/time_point.h"

namespace millrace::engine {

// Not thread-safe.
class TokenBucket {
 public:
  // 0: always full.
  void set_rate(double per_second, MonoTime now) {
    if (rate_ == per_second) return;
    rate_ = per_second;
    tokens_ = capacity();
    last_ = now;
  }
  bool has(MonoTime now) {
    if (rate_ <= 0) return true;
    refill(now);
    return tokens_ >= 1 - kSlack;
  }
  void take(MonoTime now) {
    if (rate_ <= 0) return;
    refill(now);
    tokens_ -= 1;
  }
  // Nothing was started after all.
  void give_back() {
    if (rate_ > 0) tokens_ = std::min(capacity(), tokens_ + 1);
  }
  // When has() will say true; `now` or later.
  MonoTime next(MonoTime now) {
    if (has(now)) return now;
    return now + Duration(static_cast<std::int64_t>((1 - tokens_) / rate_ * 1e6) + 1);
  }
  bool is_full(MonoTime now) {
    if (rate_ <= 0) return true;
    refill(now);
    return tokens_ >= capacity() - kSlack;
  }

 private:
  static constexpr double kSlack = 1e-9;
  double capacity() const { return std::max(1.0, rate_); }
  void refill(MonoTime now) {
    if (now <= last_) return;
    tokens_ = std::min(capacity(), tokens_ + to_seconds(std::chrono::duration_cast<Duration>(now - last_)) * rate_);
    last_ = now;
  }
  double rate_ = 0;
  double tokens_ = 0;
  MonoTime last_{};
};

}  // namespace millrace::engine
