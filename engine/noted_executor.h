// An executor that leaves a crash note (crash_notes.h) for as long as a handler runs on it: whose code was on a thread
// when the server died.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include "common/awaitable.h"
#include "engine/crash_notes.h"

namespace millrace::engine {

class NotedExecutor {
 public:
  NotedExecutor(asio::any_io_executor inner, std::shared_ptr<CrashNotes> notes, std::string run_id)
      : NotedExecutor(std::move(inner), std::make_shared<const Whom>(std::move(notes), std::move(run_id))) {}

  template <class F>
  void execute(F&& f) const {
    inner_.execute([f = std::forward<F>(f), whom = whom_]() mutable {
      const CrashNote note(whom->notes.get(), whom->run_id);
      std::move(f)();
    });
  }

  template <class Property>
    requires asio::can_query_v<const asio::any_io_executor&, Property>
  decltype(auto) query(const Property& p) const {
    return asio::query(inner_, p);
  }
  template <class Property>
    requires asio::can_require_v<const asio::any_io_executor&, Property>
  NotedExecutor require(const Property& p) const {
    return NotedExecutor(asio::require(inner_, p), whom_);
  }
  template <class Property>
    requires asio::can_prefer_v<const asio::any_io_executor&, Property>
  NotedExecutor prefer(const Property& p) const {
    return NotedExecutor(asio::prefer(inner_, p), whom_);
  }
  bool operator==(const NotedExecutor& o) const noexcept { return inner_ == o.inner_ && whom_ == o.whom_; }
  bool operator!=(const NotedExecutor& o) const noexcept { return !(*this == o); }

 private:
  struct Whom {
    Whom(std::shared_ptr<CrashNotes> n, std::string r) : notes(std::move(n)), run_id(std::move(r)) {}
    std::shared_ptr<CrashNotes> notes;
    std::string run_id;
  };
  NotedExecutor(asio::any_io_executor inner, std::shared_ptr<const Whom> whom)
      : inner_(std::move(inner)), whom_(std::move(whom)) {}

  asio::any_io_executor inner_;
  std::shared_ptr<const Whom> whom_;
};

}  // namespace millrace::engine
