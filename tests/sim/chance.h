// The only source of chance in a simulation: one number, from which everything follows. Independent of the runtime's
// randomness, so that drawing one thing more in the engine does not change what the world does to it.
#pragma once

#include <cstdint>

namespace millrace::sim {

class Chance {
 public:
  // Mixed first: the streams of neighbouring seeds must not be parts of one another.
  explicit Chance(std::uint64_t seed) : state_(seed ^ 0x632be59bd9b4e019ULL) { state_ = next() ^ (seed << 32); }
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // 0 … n-1; n > 0.
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n)); }
  // Both included.
  std::int64_t between(std::int64_t a, std::int64_t b) { return a + below(b - a + 1); }
  bool percent(int p) { return below(100) < p; }
  // Another source that this one's later use does not change.
  Chance fork() { return Chance(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace millrace::sim
