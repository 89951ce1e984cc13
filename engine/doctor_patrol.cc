#include "engine/doctor_patrol.h"

#include "common/errors.h"
#include "common/log.h"
#include "common/metrics.h"
#include "engine/doctor.h"

namespace millrace::engine {
namespace {

constexpr std::size_t kLinesInLog = 20;

asio::awaitable<void> one_round(Runtime runtime, std::shared_ptr<state::Store> store, Duration pause) {
  std::shared_ptr<state::Snapshot> view = store->snapshot();
  DoctorPause rest = [runtime, pause]() -> asio::awaitable<void> { return runtime.sleep_for(pause); };
  const DoctorReport report = co_await examine(std::move(view), std::move(rest));
  metric_gauge("millrace_doctor_faults", "Faults of the store that the last round of the doctor found")
      .set(static_cast<double>(report.fault_count));
  metric_gauge("millrace_doctor_last_round_timestamp_seconds", "When the doctor was last through the whole store")
      .set(static_cast<double>(to_micros(runtime.now())) / 1e6);
  if (report.fault_count == 0) {
    log_info("doctor: the store holds together",
             {{"runs", report.runs}, {"events", report.events}, {"rows", report.rows}});
    co_return;
  }
  for (std::size_t i = 0; i < report.faults.size() && i < kLinesInLog; ++i) {
    const StoreFault& fault = report.faults[i];
    log_error(
        "doctor: a fault in the store",
        {{"check", fault.check}, {"workflow", fault.workflow_id}, {"run", fault.run_id}, {"detail", fault.detail}});
  }
  log_error("doctor: the store does not hold together", {{"summary", summary_of(report)}});
}

}  // namespace

asio::awaitable<void> patrol(Runtime runtime, std::shared_ptr<state::Store> store, PatrolOptions options) {
  co_await runtime.sleep_for(options.first_after);
  for (;;) {
    std::exception_ptr error;
    try {
      co_await one_round(runtime, store, options.pause);
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      if (is_cancelled(error)) std::rethrow_exception(error);
      log_warn("doctor: a round was not completed", {{"error", describe(error)}});
    }
    co_await runtime.sleep_for(options.between);
  }
}

}  // namespace millrace::engine
