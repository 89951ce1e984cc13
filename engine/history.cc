#include "engine/history.h"

#include "common/errors.h"
#include "engine/events/codec.h"
#include "state/keys.h"

namespace millrace::engine {

HistoryReader::HistoryReader(state::Store& store, std::string run_id, std::uint64_t first_batch, bool with_blobs)
    : store_(store),
      run_id_(std::move(run_id)),
      with_blobs_(with_blobs),
      from_(state::keys::history(run_id_, first_batch)),
      next_id_(first_batch) {}

asio::awaitable<std::vector<HistoryEvent>> HistoryReader::next() {
  std::vector<HistoryEvent> events;
  if (batches_.empty() && !at_end_) {
    state::Range range = state::prefix_range(state::keys::history_prefix(run_id_));
    range.begin = from_;
    range.limit = 256;
    range.max_bytes = 1 << 20;
    auto rows = co_await store_.scan(range);
    at_end_ = rows.empty();
    if (!rows.empty()) from_ = rows.back().key + '\0';
    for (auto& row : rows) batches_.push_back(std::move(row.value));
  }
  if (batches_.empty()) co_return events;
  events = decode_events(batches_.front());
  batches_.pop_front();
  for (const HistoryEvent& e : events)
    if (e.id != next_id_++)
      throw Error("store.corrupt", "the history of run " + run_id_ + " has a gap at event " + std::to_string(e.id));
  if (with_blobs_) co_await load_blobs(store_, run_id_, &events);
  co_return events;
}

asio::awaitable<void> load_blobs(state::Store& store, std::string run_id, std::vector<HistoryEvent>* events) {
  std::vector<StoredPayload*> absent;
  for (HistoryEvent& e : *events)
    for_each_payload(e.attributes, [&](StoredPayload& p) {
      if (p.is_absent()) absent.push_back(&p);
    });
  for (StoredPayload* p : absent) {
    auto text = co_await store.get(state::keys::blob(run_id, p->blob_hash));
    if (!text) throw Error("store.corrupt", "a payload of run " + run_id + " is missing");
    p->text = std::move(*text);
  }
}

asio::awaitable<std::vector<HistoryEvent>> read_batch(state::Store& store, std::string run_id,
                                                      std::uint64_t first_event) {
  std::vector<HistoryEvent> events;
  const auto bytes = co_await store.get(state::keys::history(run_id, first_event));
  if (!bytes) co_return events;
  events = decode_events(*bytes);
  co_await load_blobs(store, std::move(run_id), &events);
  co_return events;
}

std::optional<Divergence> HistoryReplay::feed(const HistoryEvent& event) {
  last_id_ = event.id;
  const EventType type = type_of(event);
  const bool command = is_command_event(type) && !is_local_result(event.attributes);
  if (command && turn_) {
    commands_.push_back(event);
    return std::nullopt;
  }
  if (auto d = finish()) return d;
  if (closed_ || command) {
    Divergence d;
    d.event_id = event.id;
    d.expected = describe_event(event.attributes);
    d.got = closed_ ? "nothing: the run had ended before" : "nothing: no turn stands before it";
    return d;
  }
  if (is_closing_event(type)) {
    closed_ = true;  // terminated or timed out: code had no say
    return std::nullopt;
  }
  if (type == EventType::workflow_task_completed) {
    turn_ = event;
    return std::nullopt;
  }
  if (!is_news_event(type) && !is_local_result(event.attributes)) return std::nullopt;
  return replayer_.deliver(event);
}

std::optional<Divergence> HistoryReplay::finish() {
  if (!turn_) return std::nullopt;
  auto d = replayer_.replay_turn(*turn_, commands_);
  if (!commands_.empty() && is_closing_event(type_of(commands_.back()))) closed_ = true;
  turn_.reset();
  commands_.clear();
  return d;
}

HistoryTrial::HistoryTrial(const Registry& registry, std::string run_id)
    : registry_(registry), run_id_(std::move(run_id)) {}
HistoryTrial::~HistoryTrial() = default;

void HistoryTrial::feed(const HistoryEvent& event) {
  if (divergence) return;
  if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&event.attributes)) {
    const WorkflowFunction* function = registry_.workflow(s->workflow_type);
    if (function == nullptr) {
      divergence.emplace();
      divergence->event_id = event.id;
      divergence->expected = "code for workflow type " + s->workflow_type;
      divergence->got = "nothing: this build has none";
      divergence->position = "the start";
      return;
    }
    Replayer::Identity identity;
    identity.workflow_id = s->workflow_id;
    identity.run_id = run_id_;
    identity.type = s->workflow_type;
    identity.original_run_id = s->original_run_id;
    replayer = std::make_unique<Replayer>(std::move(identity), *function, s->input.text);
    replay_ = std::make_unique<HistoryReplay>(*replayer);
  }
  if (replay_) divergence = replay_->feed(event);
  if (!divergence) events = event.id;
}

std::optional<HistoryEvent> HistoryTrial::open_turn() const {
  return replay_ ? replay_->open_turn() : std::optional<HistoryEvent>();
}
std::vector<HistoryEvent> HistoryTrial::open_commands() const {
  return replay_ ? replay_->open_commands() : std::vector<HistoryEvent>();
}

void HistoryTrial::finish() {
  if (replay_ && !divergence) divergence = replay_->finish();
}

}  // namespace millrace::engine
