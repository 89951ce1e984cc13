// Verify: today's code against past histories, without any effect: one run, all that a filter finds, an exported file.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/export_format.h"
#include "engine/history.h"

namespace millrace::engine {

asio::awaitable<Engine::Impl::Replayed> Engine::Impl::replay(std::string run_id) {
  HistoryTrial trial(core_->registry, run_id);
  HistoryReader reader(*core_->store, run_id);
  for (auto events = co_await reader.next(); !events.empty() && !trial.divergence; events = co_await reader.next())
    for (const HistoryEvent& event : events) trial.feed(event);
  trial.finish();
  Replayed out;
  out.replayer = std::move(trial.replayer);
  out.divergence = std::move(trial.divergence);
  out.events = trial.events;
  co_return out;
}

asio::awaitable<VerifyReport> Engine::Impl::verify(std::string workflow_id, std::string run_id) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  const Replayed replayed = co_await replay(found.run_id);
  VerifyReport report;
  report.open_end = is_open(found.record.status);
  report.divergence = replayed.divergence;
  report.events_checked = replayed.events;
  co_return report;
}

// Run by run, each event by event: memory does not depend on how many there are. The pool is given back after each run.
asio::awaitable<VerifyAllReport> Engine::Impl::verify_all(VerifyAllRequest request, VerifyProgress progress) {
  constexpr std::size_t kPage = 100;
  constexpr Duration kTell = std::chrono::milliseconds(500);
  VerifyAllReport report;
  MonoTime told = core_->runtime.mono();
  request.filter.limit = kPage;
  request.filter.page.clear();
  for (bool more = true; more;) {
    const ListPage page = co_await list(request.filter);
    for (const Execution& e : page.executions) {
      // Newest first: what follows is older still.
      if (request.since && e.started < *request.since) {
        more = false;
        break;
      }
      if (core_->draining) throw Error("workflow.draining");
      std::optional<VerifyReport> one;
      Divergence unread;
      try {
        one = co_await verify(e.workflow_id, e.run_id);
      } catch (const Error& error) {
        if (error.code() == "workflow.not_found") continue;  // its retention has just ended
        if (error.code() != "store.corrupt") throw;
        unread.expected = "a history that can be read";
        unread.got = error.what();
      }
      ++report.runs;
      if (one) report.events += one->events_checked;
      if (one && one->open_end) ++report.open_runs;
      if (!one || one->divergence) {
        ++report.diverged;
        if (report.divergences.size() < VerifyAllReport::kMostShown) {
          VerifiedRun run;
          run.workflow_id = e.workflow_id;
          run.run_id = e.run_id;
          run.type = e.type;
          run.divergence = one ? *one->divergence : unread;
          report.divergences.push_back(std::move(run));
        }
      }
      if (progress && core_->runtime.mono() - told >= kTell) {
        told = core_->runtime.mono();
        co_await progress(report);
      }
      co_await asio::post(core_->runtime.executor(), asio::use_awaitable);
    }
    if (page.next.empty()) break;
    request.filter.page = page.next;
  }
  co_return report;
}

VerifiedFile Engine::Impl::verify_file(std::string_view text) const {
  ExportReader reader;
  std::unique_ptr<HistoryTrial> trial;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto event = reader.line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!event) continue;
    if (!trial) trial = std::make_unique<HistoryTrial>(core_->registry, reader.header().run_id);
    trial->feed(*event);
  }
  if (!trial) throw Error("history.invalid", "the file holds no event");
  trial->finish();
  VerifiedFile out;
  out.workflow_id = reader.header().workflow_id;
  out.run_id = reader.header().run_id;
  out.type = reader.header().type;
  out.report.divergence = trial->divergence;
  out.report.events_checked = trial->events;
  out.report.open_end = is_open(reader.header().status);
  return out;
}

}  // namespace millrace::engine
