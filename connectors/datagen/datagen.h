// A source that makes its rows up: for demos, tests and load. The same configuration gives the same rows, for ever: a
// row is a function of seed, stream and row number alone. So any split can be read again, from any row on.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/registry.h"
#include "connectors/source.h"

namespace millrace::connectors::datagen {

struct DatagenConfig {
  DatagenConfig() = default;
  int streams = 1;                   // named stream_1, stream_2, ...
  std::int64_t rows = 1'000;         // of each stream
  std::int64_t row_bytes = 200;      // about, as stored; the column `payload` fills up to it
  std::int64_t rows_per_second = 0;  // of the whole source; 0: as fast as it goes
  std::int64_t checkpoint_rows = 100'000;
  std::uint64_t seed = 1;
  std::vector<std::string> columns;  // kinds, beside `id` and `payload`
};
// Throws connector.config_invalid.
DatagenConfig datagen_config(const std::string& json);
std::string datagen_spec();

// Spreads rows over time. Thread-safe: the splits of one source share one.
class RateLimit {
 public:
  RateLimit(Runtime runtime, std::int64_t per_second) : runtime_(std::move(runtime)), per_second_(per_second) {}
  // Returns when `rows` more may be given out.
  asio::awaitable<void> take(std::int64_t rows);

 private:
  Runtime runtime_;
  std::int64_t per_second_;
  std::mutex mutex_;
  MonoTime next_{};
};

class DatagenSource final : public Source {
 public:
  DatagenSource(Runtime runtime, DatagenConfig config);

  asio::awaitable<CheckResult> check() override;
  asio::awaitable<Catalog> discover() override;
  asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions options) override;
  // Bounds are {"from": first row, "to": row after the last}; a checkpoint's state is {"row": the next one}.
  asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                             BatchSink& out) override;
  asio::awaitable<void> close() override;

 private:
  int stream_number(const StreamName& name) const;  // throws connector.stream_missing

  DatagenConfig config_;
  RateLimit rate_;
};

Connector connector();

}  // namespace millrace::connectors::datagen
