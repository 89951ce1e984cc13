#include "state/keys.h"

#include "common/byte_order.h"
#include "common/errors.h"

namespace millrace::state {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

std::uint64_t ordered(WallTime t) { return static_cast<std::uint64_t>(to_micros(t)) ^ kSign; }
WallTime from_ordered(std::uint64_t v) { return from_micros(static_cast<std::int64_t>(v ^ kSign)); }

}  // namespace

KeyBuilder::KeyBuilder(KeyKind kind, ShardId shard) {
  key_.reserve(64);
  u16(shard);
  u8(static_cast<std::uint8_t>(kind));
}

KeyBuilder& KeyBuilder::u8(std::uint8_t v) {
  key_.push_back(static_cast<char>(v));
  return *this;
}
KeyBuilder& KeyBuilder::u16(std::uint16_t v) {
  append_big_endian(key_, v);
  return *this;
}
KeyBuilder& KeyBuilder::u32(std::uint32_t v) {
  append_big_endian(key_, v);
  return *this;
}
KeyBuilder& KeyBuilder::u64(std::uint64_t v) {
  append_big_endian(key_, v);
  return *this;
}
KeyBuilder& KeyBuilder::time(WallTime t) { return u64(ordered(t)); }
KeyBuilder& KeyBuilder::inverse_time(WallTime t) { return u64(~ordered(t)); }

KeyBuilder& KeyBuilder::str(std::string_view s) {
  for (const char c : s) {
    key_.push_back(c);
    if (c == '\0') key_.push_back('\xff');
  }
  key_.append(2, '\0');
  return *this;
}

KeyReader::KeyReader(std::string_view key) : rest_(key) {
  shard_ = u16();
  kind_ = static_cast<KeyKind>(u8());
}

std::string_view KeyReader::bytes(std::size_t n) {
  if (rest_.size() < n) throw Error("store.corrupt", "a key is shorter than its kind says");
  const auto b = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return b;
}

std::uint8_t KeyReader::u8() { return static_cast<std::uint8_t>(bytes(1)[0]); }
std::uint16_t KeyReader::u16() { return from_big_endian<std::uint16_t>(bytes(2).data()); }
std::uint32_t KeyReader::u32() { return from_big_endian<std::uint32_t>(bytes(4).data()); }
std::uint64_t KeyReader::u64() { return from_big_endian<std::uint64_t>(bytes(8).data()); }
WallTime KeyReader::time() { return from_ordered(u64()); }
WallTime KeyReader::inverse_time() { return from_ordered(~u64()); }

std::string KeyReader::str() {
  std::string out;
  for (;;) {
    const char c = bytes(1)[0];
    if (c != '\0') {
      out.push_back(c);
      continue;
    }
    const char after = bytes(1)[0];
    if (after == '\0') return out;
    if (after != '\xff') throw Error("store.corrupt", "a key holds a string that is not escaped as it should be");
    out.push_back('\0');
  }
}

namespace keys {

std::string meta(std::string_view name) { return KeyBuilder(KeyKind::meta).str(name).take(); }
std::string shard_record(ShardId shard) { return KeyBuilder(KeyKind::shard, shard).take(); }
std::string current(std::string_view workflow_id, ShardId shard) {
  return KeyBuilder(KeyKind::current, shard).str(workflow_id).take();
}
std::string current_prefix(ShardId shard) { return KeyBuilder(KeyKind::current, shard).take(); }
std::string run(std::string_view run, ShardId shard) { return KeyBuilder(KeyKind::run, shard).str(run).take(); }
std::string run_prefix(ShardId shard) { return KeyBuilder(KeyKind::run, shard).take(); }
std::string run_item(std::string_view run, std::uint8_t type, std::string_view id, ShardId shard) {
  return KeyBuilder(KeyKind::run_item, shard).str(run).u8(type).str(id).take();
}
std::string run_items_prefix(std::string_view run, ShardId shard) {
  return KeyBuilder(KeyKind::run_item, shard).str(run).take();
}
std::string open_run(std::string_view run, ShardId shard) {
  return KeyBuilder(KeyKind::open_run, shard).str(run).take();
}
std::string open_run_prefix(ShardId shard) { return KeyBuilder(KeyKind::open_run, shard).take(); }
std::string history(std::string_view branch, std::uint64_t first_event_id, ShardId shard) {
  return KeyBuilder(KeyKind::history, shard).str(branch).u64(first_event_id).take();
}
std::string history_prefix(std::string_view branch, ShardId shard) {
  return KeyBuilder(KeyKind::history, shard).str(branch).take();
}
std::string dedupe(std::string_view scope, std::string_view request_id, ShardId shard) {
  return KeyBuilder(KeyKind::dedupe, shard).str(scope).str(request_id).take();
}
std::string dedupe_prefix(std::string_view scope, ShardId shard) {
  return KeyBuilder(KeyKind::dedupe, shard).str(scope).take();
}
std::string immediate_task(std::uint64_t task_id, ShardId shard) {
  return KeyBuilder(KeyKind::immediate_task, shard).u64(task_id).take();
}
std::string immediate_task_prefix(ShardId shard) { return KeyBuilder(KeyKind::immediate_task, shard).take(); }
std::string timer(WallTime fire, std::string_view run, std::uint64_t seq, ShardId shard) {
  return KeyBuilder(KeyKind::timer, shard).time(fire).str(run).u64(seq).take();
}
std::string timer_prefix(ShardId shard) { return KeyBuilder(KeyKind::timer, shard).take(); }
std::string timer_bound(WallTime fire, ShardId shard) { return KeyBuilder(KeyKind::timer, shard).time(fire).take(); }
std::string ready(std::string_view queue, std::uint8_t priority, std::uint64_t pass, std::uint64_t task_id,
                  ShardId shard) {
  return KeyBuilder(KeyKind::ready, shard).str(queue).u8(priority).u64(pass).u64(task_id).take();
}
std::string ready_prefix(std::string_view queue, ShardId shard) {
  return KeyBuilder(KeyKind::ready, shard).str(queue).take();
}
std::string outbox(ShardId target, std::uint64_t seq, ShardId shard) {
  return KeyBuilder(KeyKind::outbox, shard).u16(target).u64(seq).take();
}
std::string outbox_prefix(ShardId target, ShardId shard) {
  return KeyBuilder(KeyKind::outbox, shard).u16(target).take();
}
std::string inbox(ShardId source, std::uint64_t seq, ShardId shard) {
  return KeyBuilder(KeyKind::inbox, shard).u16(source).u64(seq).take();
}
std::string inbox_prefix(ShardId source, ShardId shard) { return KeyBuilder(KeyKind::inbox, shard).u16(source).take(); }
std::string attempt(std::string_view run, std::uint64_t event, std::uint32_t n, ShardId shard) {
  return KeyBuilder(KeyKind::attempt, shard).str(run).u64(event).u32(n).take();
}
std::string attempts_of_step_prefix(std::string_view run, std::uint64_t event, ShardId shard) {
  return KeyBuilder(KeyKind::attempt, shard).str(run).u64(event).take();
}
std::string attempts_of_run_prefix(std::string_view run, ShardId shard) {
  return KeyBuilder(KeyKind::attempt, shard).str(run).take();
}
std::string step_checkpoint(std::string_view run, std::uint64_t event, std::string_view scope, ShardId shard) {
  return KeyBuilder(KeyKind::step_checkpoint, shard).str(run).u64(event).str(scope).take();
}
std::string step_checkpoints_prefix(std::string_view run, std::uint64_t event, ShardId shard) {
  return KeyBuilder(KeyKind::step_checkpoint, shard).str(run).u64(event).take();
}
std::string step_checkpoints_of_run_prefix(std::string_view run, ShardId shard) {
  return KeyBuilder(KeyKind::step_checkpoint, shard).str(run).take();
}
std::string blob(std::string_view owner, std::string_view hash, ShardId shard) {
  return KeyBuilder(KeyKind::blob, shard).str(owner).str(hash).take();
}
std::string blobs_prefix(std::string_view owner, ShardId shard) {
  return KeyBuilder(KeyKind::blob, shard).str(owner).take();
}
std::string log(std::string_view run, std::uint64_t seq, ShardId shard) {
  return KeyBuilder(KeyKind::log, shard).str(run).u64(seq).take();
}
std::string log_prefix(std::string_view run, ShardId shard) { return KeyBuilder(KeyKind::log, shard).str(run).take(); }
std::string schedule(std::string_view id, ShardId shard) { return KeyBuilder(KeyKind::schedule, shard).str(id).take(); }
std::string schedule_prefix(ShardId shard) { return KeyBuilder(KeyKind::schedule, shard).take(); }

std::string index_by_start(WallTime start, std::string_view run, ShardId shard) {
  return KeyBuilder(KeyKind::index_start, shard).inverse_time(start).str(run).take();
}
std::string index_by_start_prefix(ShardId shard) { return KeyBuilder(KeyKind::index_start, shard).take(); }
std::string index_by_attribute(std::string_view name, std::string_view value, WallTime start, std::string_view run,
                               ShardId shard) {
  return KeyBuilder(KeyKind::index_attribute, shard).str(name).str(value).inverse_time(start).str(run).take();
}
std::string index_by_attribute_prefix(std::string_view name, std::string_view value, ShardId shard) {
  return KeyBuilder(KeyKind::index_attribute, shard).str(name).str(value).take();
}
std::string resource(std::string_view kind, std::string_view id, ShardId shard) {
  return KeyBuilder(KeyKind::resource, shard).str(kind).str(id).take();
}
std::string resource_prefix(std::string_view kind, ShardId shard) {
  return KeyBuilder(KeyKind::resource, shard).str(kind).take();
}
std::string resource_name(std::string_view kind, std::string_view name, ShardId shard) {
  return KeyBuilder(KeyKind::resource_name, shard).str(kind).str(name).take();
}
std::string resource_name_prefix(std::string_view kind, ShardId shard) {
  return KeyBuilder(KeyKind::resource_name, shard).str(kind).take();
}
std::string revision(std::string_view kind, std::string_view id, std::uint64_t revision, ShardId shard) {
  return KeyBuilder(KeyKind::revision, shard).str(kind).str(id).u64(revision).take();
}
std::string revision_prefix(std::string_view kind, std::string_view id, ShardId shard) {
  return KeyBuilder(KeyKind::revision, shard).str(kind).str(id).take();
}
std::string secret(std::string_view id, ShardId shard) { return KeyBuilder(KeyKind::secret, shard).str(id).take(); }
std::string secret_prefix(ShardId shard) { return KeyBuilder(KeyKind::secret, shard).take(); }
std::string job(std::uint64_t number, ShardId shard) { return KeyBuilder(KeyKind::job, shard).u64(number).take(); }
std::string job_prefix(ShardId shard) { return KeyBuilder(KeyKind::job, shard).take(); }
std::string job_of_connection(std::string_view connection, std::uint64_t number, ShardId shard) {
  return KeyBuilder(KeyKind::job_of_connection, shard).str(connection).inverse_u64(number).take();
}
std::string job_of_connection_prefix(std::string_view connection, ShardId shard) {
  return KeyBuilder(KeyKind::job_of_connection, shard).str(connection).take();
}
std::string connection_lock(std::string_view connection, ShardId shard) {
  return KeyBuilder(KeyKind::connection_lock, shard).str(connection).take();
}
std::string counter(std::string_view name, ShardId shard) {
  return KeyBuilder(KeyKind::counter, shard).str(name).take();
}
std::string stream_state(std::string_view connection, std::string_view name_space, std::string_view name,
                         ShardId shard) {
  return KeyBuilder(KeyKind::stream_state, shard).str(connection).str(name_space).str(name).take();
}
std::string stream_state_prefix(std::string_view connection, ShardId shard) {
  return KeyBuilder(KeyKind::stream_state, shard).str(connection).take();
}
std::string token(std::string_view hash, ShardId shard) { return KeyBuilder(KeyKind::token, shard).str(hash).take(); }
std::string token_prefix(ShardId shard) { return KeyBuilder(KeyKind::token, shard).take(); }

}  // namespace keys
}  // namespace millrace::state
