// Executions that were running in several crashes in a row.
//
// At a start, the open runs that the dead server's notes name (crash_notes.h) have one crash more; all others have
// none. One with `crashes_in_a_row` of them is set aside: loaded without its code, blocked, visible, its history
// intact. resume() takes it back. A server that stopped cleanly leaves no notes, so the count begins anew.
#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "engine/crash_notes.h"
#include "engine/engine_impl.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr std::size_t kRowsAtOnce = 500;

asio::awaitable<void> load_again(RunningPtr execution) { co_await execution->load(); }

}  // namespace

// `rows`: those of all open runs, changed as they are written.
asio::awaitable<void> Engine::Impl::count_crashes(std::vector<state::KeyValue>* rows) {
  CrashNotes* notes = core_->options.crash_notes.get();
  if (notes == nullptr) co_return;
  const std::vector<std::string> ran = notes->left_behind();
  state::Batch batch;
  std::size_t changed = 0;
  for (state::KeyValue& row : *rows) {
    state::KeyReader key(row.key);
    const std::string run_id = key.str();
    OpenRow open = decode_record<OpenRow>(row.value);
    // What was set aside did not run: it stays so until somebody takes it back.
    if (open.crashes >= core_->options.crashes_in_a_row) continue;
    const std::uint32_t crashes = std::find(ran.begin(), ran.end(), run_id) != ran.end() ? open.crashes + 1 : 0;
    if (crashes == open.crashes) continue;
    open.crashes = crashes;
    row.value = encode_record(open);
    batch.put(row.key, row.value);
    if (crashes != 0) log_warn("execution ran when the server died", {{"run", run_id}, {"crashes_in_a_row", crashes}});
    if (++changed % kRowsAtOnce == 0) co_await core_->store->commit(std::exchange(batch, state::Batch()));
  }
  if (!batch.empty()) co_await core_->store->commit(std::move(batch));
  notes->clear();
}

asio::awaitable<void> Engine::Impl::resume(std::string workflow_id, std::string run_id) {
  const RunningPtr aside = co_await find_open(std::move(workflow_id), std::move(run_id));
  const std::string key = keys::open_run(aside->run_id());
  const auto row = co_await core_->store->get(key);
  if (!row) throw Error("workflow.closed");
  if (decode_record<OpenRow>(*row).crashes < core_->options.crashes_in_a_row) co_return;
  state::Batch batch;
  batch.expect(key, *row);
  batch.put(key, encode_record(OpenRow()));
  if (co_await core_->store->commit(std::move(batch)) != state::Commit::done)
    throw Error("workflow.closed", "the run was changed meanwhile; ask again");
  // From its history, as after a restart.
  auto again = std::make_shared<RunningExecution>(core_, aside->run_id());
  again->expect_load();
  core_->executions.erase(aside->run_id(), aside.get());
  aside->abandon();
  core_->metrics.opened(aside->record().type, -1);
  core_->metrics.blocked(aside->record().type, -1);
  if (!core_->executions.insert(again->run_id(), again)) co_return;
  co_await asio::co_spawn(again->strand(), load_again(again), asio::use_awaitable);
}

}  // namespace millrace::engine
