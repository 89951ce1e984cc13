// The key schema: every key of the store is drawn here and nowhere else.
//
//   key = shard (u16) | kind (u8) | fields of that kind
//
// Fields, all ordered bytewise as their values are ordered:
//   u8 u16 u32 u64   big-endian
//   time             microseconds since the epoch, i64 with the sign bit flipped, big-endian
//   ~u64 ~time       the same with all bits inverted: newest (greatest) first
//   str              bytes with 00 written as 00 ff, ended by 00 00; so "a" sorts before "ab", and no string is a
//   prefix
//                    of another's key
//
// A kind's number and the fields behind it are stored bytes: they never change and are never used again; a retired kind
// stays listed. tests/state/keys_test.cc holds one golden key of each. Values are drawn by the room that writes them.
//
// The shard comes first so that one owner's rows are one range (DESIGN.md, "Keys begin with the shard"). The embedded
// store has one shard, kEmbeddedShard, which is also the default of all functions here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/time_point.h"

namespace millrace::state {

using ShardId = std::uint16_t;
inline constexpr ShardId kEmbeddedShard = 0;

// The third byte of every key. Grouped by who writes it: 01-0f the store, 10-3f the engine, 40-7f resources.
enum class KeyKind : std::uint8_t {
  // 00 and ff are never used: they stay free as bounds.
  meta = 0x01,   // what the store says of itself: format version
  shard = 0x02,  // owner's epoch, next task id, clock mark

  current = 0x10,          // workflow id -> its current run
  run = 0x11,              // mutable state of one run
  run_item = 0x12,         // a pending thing of a run kept beside its record (signal, update, child, ...)
  open_run = 0x13,         // runs that are not closed: what a restart has to look at
  history = 0x14,          // events written together
  immediate_task = 0x15,   // to be done at once after the commit
  timer = 0x16,            // to be done at a time
  ready = 0x17,            // steps that a worker may take
  outbox = 0x18,           // messages to other shards
  inbox = 0x19,            // highest message applied from another shard
  dedupe = 0x1a,           // request id -> what it made
  attempt = 0x1b,          // one attempt of a step
  step_checkpoint = 0x1c,  // progress of a running step, one row a scope
  blob = 0x1d,             // payload above 64 KiB, by hash
  index_start = 0x1e,      // all runs, newest first
  index_attribute = 0x1f,  // runs by attribute value, newest first
  log = 0x20,              // a line of a run's log
  schedule = 0x2a,         // a schedule by its id

  resource = 0x40,           // a source, destination, connection, ...
  resource_name = 0x41,      // name -> id
  revision = 0x42,           // an immutable revision of a resource
  secret = 0x43,             // an encrypted secret
  job = 0x44,                // job by number
  job_of_connection = 0x45,  // jobs of a connection, newest first
  connection_lock = 0x46,    // the job that holds a connection
  counter = 0x47,            // block of numbers handed out
  stream_state = 0x48,       // state of a stream of a connection
  token = 0x49,              // an API token by its hash
  // retired: none yet
};

// Builds a key field by field.
class KeyBuilder {
 public:
  explicit KeyBuilder(KeyKind kind, ShardId shard = kEmbeddedShard);
  KeyBuilder& u8(std::uint8_t v);
  KeyBuilder& u16(std::uint16_t v);
  KeyBuilder& u32(std::uint32_t v);
  KeyBuilder& u64(std::uint64_t v);
  KeyBuilder& inverse_u64(std::uint64_t v) { return u64(~v); }
  KeyBuilder& time(WallTime t);
  KeyBuilder& inverse_time(WallTime t);
  KeyBuilder& str(std::string_view s);
  std::string take() { return std::move(key_); }

 private:
  std::string key_;
};

// Reads a key field by field, in the order in which it was built. Throws store.corrupt if the bytes don't fit. Keeps a
// view: the key must outlive it.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key);
  ShardId shard() const { return shard_; }
  KeyKind kind() const { return kind_; }
  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t inverse_u64() { return ~u64(); }
  WallTime time();
  WallTime inverse_time();
  std::string str();
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view bytes(std::size_t n);
  std::string_view rest_;
  ShardId shard_ = 0;
  KeyKind kind_{};
};

// One function for each kind; those that end in _prefix are for prefix_range(). `run` is a run id; `event` is the id of
// the event that scheduled the step.
namespace keys {

// ---- the store ----
// meta | str name                                     name: "format"
std::string meta(std::string_view name);
// shard
std::string shard_record(ShardId shard = kEmbeddedShard);

// ---- engine: executions ----
// current | str workflow id
std::string current(std::string_view workflow_id, ShardId shard = kEmbeddedShard);
std::string current_prefix(ShardId shard = kEmbeddedShard);
// run | str run
std::string run(std::string_view run, ShardId shard = kEmbeddedShard);
std::string run_prefix(ShardId shard = kEmbeddedShard);
// run_item | str run | u8 type | str id               type: the engine's enum (signal, update, child, ...)
std::string run_item(std::string_view run, std::uint8_t type, std::string_view id, ShardId shard = kEmbeddedShard);
std::string run_items_prefix(std::string_view run, ShardId shard = kEmbeddedShard);
// open_run | str run
std::string open_run(std::string_view run, ShardId shard = kEmbeddedShard);
std::string open_run_prefix(ShardId shard = kEmbeddedShard);
// history | str branch | u64 first event id           branch: the run id; of a reset: shared up to the fork
std::string history(std::string_view branch, std::uint64_t first_event_id, ShardId shard = kEmbeddedShard);
std::string history_prefix(std::string_view branch, ShardId shard = kEmbeddedShard);
// dedupe | str scope | str request id
std::string dedupe(std::string_view scope, std::string_view request_id, ShardId shard = kEmbeddedShard);
std::string dedupe_prefix(std::string_view scope, ShardId shard = kEmbeddedShard);

// ---- engine: work to do ----
// immediate_task | u64 task id
std::string immediate_task(std::uint64_t task_id, ShardId shard = kEmbeddedShard);
std::string immediate_task_prefix(ShardId shard = kEmbeddedShard);
// timer | time fire | str run | u64 seq               seq: unique in the run
std::string timer(WallTime fire, std::string_view run, std::uint64_t seq, ShardId shard = kEmbeddedShard);
std::string timer_prefix(ShardId shard = kEmbeddedShard);
// All timers that fire before this: the exclusive end of a scan from timer_prefix().
std::string timer_bound(WallTime fire, ShardId shard = kEmbeddedShard);
// ready | str queue | u8 priority | u64 pass | u64 task id
std::string ready(std::string_view queue, std::uint8_t priority, std::uint64_t pass, std::uint64_t task_id,
                  ShardId shard = kEmbeddedShard);
std::string ready_prefix(std::string_view queue, ShardId shard = kEmbeddedShard);
// outbox | u16 target shard | u64 seq
std::string outbox(ShardId target, std::uint64_t seq, ShardId shard = kEmbeddedShard);
std::string outbox_prefix(ShardId target, ShardId shard = kEmbeddedShard);
// inbox | u16 source shard | u64 seq
std::string inbox(ShardId source, std::uint64_t seq, ShardId shard = kEmbeddedShard);
std::string inbox_prefix(ShardId source, ShardId shard = kEmbeddedShard);

// ---- engine: steps ----
// attempt | str run | u64 event | u32 n               n: 1-based
std::string attempt(std::string_view run, std::uint64_t event, std::uint32_t n, ShardId shard = kEmbeddedShard);
std::string attempts_of_step_prefix(std::string_view run, std::uint64_t event, ShardId shard = kEmbeddedShard);
std::string attempts_of_run_prefix(std::string_view run, ShardId shard = kEmbeddedShard);
// step_checkpoint | str run | u64 event | str scope
std::string step_checkpoint(std::string_view run, std::uint64_t event, std::string_view scope,
                            ShardId shard = kEmbeddedShard);
std::string step_checkpoints_prefix(std::string_view run, std::uint64_t event, ShardId shard = kEmbeddedShard);
std::string step_checkpoints_of_run_prefix(std::string_view run, ShardId shard = kEmbeddedShard);
// blob | str owner | str hash                         owner: a run id or a resource id; the blob dies with it
std::string blob(std::string_view owner, std::string_view hash, ShardId shard = kEmbeddedShard);
std::string blobs_prefix(std::string_view owner, ShardId shard = kEmbeddedShard);
// log | str run | u64 seq
std::string log(std::string_view run, std::uint64_t seq, ShardId shard = kEmbeddedShard);
std::string log_prefix(std::string_view run, ShardId shard = kEmbeddedShard);

// schedule | str id
std::string schedule(std::string_view id, ShardId shard = kEmbeddedShard);
std::string schedule_prefix(ShardId shard = kEmbeddedShard);

// ---- engine: lists ----
// index_start | ~time start | str run
std::string index_by_start(WallTime start, std::string_view run, ShardId shard = kEmbeddedShard);
std::string index_by_start_prefix(ShardId shard = kEmbeddedShard);
// index_attribute | str name | str value | ~time start | str run
std::string index_by_attribute(std::string_view name, std::string_view value, WallTime start, std::string_view run,
                               ShardId shard = kEmbeddedShard);
std::string index_by_attribute_prefix(std::string_view name, std::string_view value, ShardId shard = kEmbeddedShard);

// ---- resources ----
// resource | str kind | str id                        kind: "source", "destination", "connection", ...
std::string resource(std::string_view kind, std::string_view id, ShardId shard = kEmbeddedShard);
std::string resource_prefix(std::string_view kind, ShardId shard = kEmbeddedShard);
// resource_name | str kind | str name
std::string resource_name(std::string_view kind, std::string_view name, ShardId shard = kEmbeddedShard);
std::string resource_name_prefix(std::string_view kind, ShardId shard = kEmbeddedShard);
// revision | str kind | str id | u64 revision
std::string revision(std::string_view kind, std::string_view id, std::uint64_t revision,
                     ShardId shard = kEmbeddedShard);
std::string revision_prefix(std::string_view kind, std::string_view id, ShardId shard = kEmbeddedShard);
// secret | str id
std::string secret(std::string_view id, ShardId shard = kEmbeddedShard);
std::string secret_prefix(ShardId shard = kEmbeddedShard);
// job | u64 number                                    newest first: scan in reverse
std::string job(std::uint64_t number, ShardId shard = kEmbeddedShard);
std::string job_prefix(ShardId shard = kEmbeddedShard);
// job_of_connection | str connection | ~u64 number
std::string job_of_connection(std::string_view connection, std::uint64_t number, ShardId shard = kEmbeddedShard);
std::string job_of_connection_prefix(std::string_view connection, ShardId shard = kEmbeddedShard);
// connection_lock | str connection
std::string connection_lock(std::string_view connection, ShardId shard = kEmbeddedShard);
// counter | str name
std::string counter(std::string_view name, ShardId shard = kEmbeddedShard);
// stream_state | str connection | str namespace | str name
std::string stream_state(std::string_view connection, std::string_view name_space, std::string_view name,
                         ShardId shard = kEmbeddedShard);
std::string stream_state_prefix(std::string_view connection, ShardId shard = kEmbeddedShard);
// token | str hash
std::string token(std::string_view hash, ShardId shard = kEmbeddedShard);
std::string token_prefix(ShardId shard = kEmbeddedShard);

}  // namespace keys
}  // namespace millrace::state
