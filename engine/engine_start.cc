// Starts and requests.
//
// A start is optimistic: its batch expects that neither its request id nor its workflow id is in use, which is nearly
// always so and costs no read. Only when that fails are both read, the request id first, and the start either has been
// made before, is refused, or is tried again with what was read as its condition.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr std::size_t kMaxIdBytes = 1000;
constexpr std::size_t kMaxMemoBytes = 32 << 10;
constexpr int kStartTries = 10;

// So that another request under the same id is told apart. A workflow id that we made is no part of the request.
std::string digest_of(const StartRequest& request) {
  std::string all = request.type;
  all += '\0';
  all += request.workflow_id;
  all += '\0';
  all += request.input;
  return payload_hash(all);
}

void check_request(const StartRequest& request) {
  if (request.workflow_id.size() > kMaxIdBytes || request.request_id.size() > kMaxIdBytes)
    throw Error("workflow.invalid",
                "a workflow id or request id is longer than " + std::to_string(kMaxIdBytes) + " bytes");
  if (request.memo.size() > kMaxMemoBytes)
    throw Error("workflow.invalid", "the memo is larger than " + std::to_string(kMaxMemoBytes) + " bytes");
}

}  // namespace

asio::awaitable<StartResult> Engine::Impl::start_workflow(StartRequest request, RunningExecution::Origin origin) {
  if (core_->draining) throw Error("workflow.draining");
  if (core_->registry.workflow(request.type) == nullptr)
    throw Error("workflow.type_unknown", "no workflow of type " + request.type + " is registered");
  check_request(request);
  core_->registry.check_input(request.type, request.input);
  const std::string digest = digest_of(request);
  if (request.workflow_id.empty()) request.workflow_id = core_->runtime.uuid();
  if (request.run_id.empty()) request.run_id = core_->runtime.uuid();

  // What the workflow id's row was when it was read: a condition of the next try. Nothing: there is none.
  std::optional<std::string> current;
  std::string closed_run, closed_record;
  for (int i = 0; i < kStartTries; ++i) {
    state::Batch beside;
    if (!request.request_id.empty()) {
      const std::string key = keys::dedupe("start", request.request_id);
      DedupeRow row;
      row.workflow_id = request.workflow_id;
      row.run_id = request.run_id;
      row.digest = digest;
      row.time = core_->runtime.now();
      beside.expect_absent(key);
      beside.put(key, encode_record(row));
    }
    if (current) {
      beside.expect(keys::current(request.workflow_id), *current);
      beside.expect(keys::run(closed_run), closed_record);
    } else {
      beside.expect_absent(keys::current(request.workflow_id));
    }
    auto execution = std::make_shared<RunningExecution>(core_, request.run_id);
    // A run id that is taken is found out here or by the batch; the same way on.
    if (core_->executions.insert(request.run_id, execution)) {
      const bool started = co_await execution->start(request, std::move(beside), origin);
      if (started) {
        StartResult result;
        result.workflow_id = request.workflow_id;
        result.run_id = request.run_id;
        result.started = true;
        co_return result;
      }
    }
    auto before = co_await earlier_start(request, digest);
    if (before) co_return std::move(*before);
    // Not the request id: an open run, a closed one whose row we did not know, or a condition of the caller's.
    const auto row = co_await core_->store->get(keys::current(request.workflow_id));
    if (!row) {
      if (current || i > 0) throw Error("workflow.start_refused");
      continue;
    }
    const auto run = decode_record<CurrentRow>(*row);
    const auto record = co_await core_->store->get(keys::run(run.run_id));
    if (record && is_open(decode_record<RunRecord>(*record).status))
      throw Error("workflow.already_running", "run " + run.run_id + " of " + request.workflow_id + " is open");
    if (current && *current == *row && record && *record == closed_record) throw Error("workflow.start_refused");
    current = *row;
    closed_run = run.run_id;
    closed_record = record.value_or(std::string());
  }
  throw Error("workflow.start_refused", "the workflow id changed hands too often");
}

asio::awaitable<std::optional<StartResult>> Engine::Impl::earlier_start(StartRequest request, std::string digest) {
  std::optional<StartResult> result;
  if (request.request_id.empty()) co_return result;
  const auto row = co_await core_->store->get(keys::dedupe("start", request.request_id));
  if (!row) co_return result;
  const auto before = decode_record<DedupeRow>(*row);
  if (before.digest != digest)
    throw Error("idempotency.mismatch", "request id " + request.request_id + " has started run " + before.run_id);
  result.emplace();
  result->workflow_id = before.workflow_id;
  result->run_id = before.run_id;
  co_return result;
}

asio::awaitable<void> Engine::Impl::request_cancel(std::string workflow_id, std::string run_id, std::string reason,
                                                   std::string request_id) {
  const auto found = co_await find(workflow_id, run_id);
  const std::string key = request_id.empty() ? std::string() : keys::dedupe("cancel/" + found.run_id, request_id);
  if (!key.empty()) {
    const auto before = co_await core_->store->get(key);
    if (before) co_return;
  }
  const RunningPtr execution = co_await find_open(found.record.workflow_id, found.run_id);
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  execution->submit([e, ack, key, reason = std::move(reason), request_id = std::move(request_id)](Transaction& tx) {
    if (!e->accepts()) {
      ack->fail(e->refusal());
      return;
    }
    e->request_cancel(tx, reason, {}, request_id);
    if (!key.empty()) {
      DedupeRow row;
      row.workflow_id = e->record().workflow_id;
      row.run_id = e->run_id();
      row.time = tx.now;
      tx.batch.put(key, encode_record(row));
    }
    tx.acks.push_back(ack);
  });
  co_await ack->wait();
}

}  // namespace millrace::engine
