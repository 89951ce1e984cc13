#include "cdc/follow_run.h"

#include <boost/asio/this_coro.hpp>

#include "cdc/slot_care.h"
#include "common/byte_order.h"
#include "common/errors.h"
#include "common/log.h"
#include "common/task_group.h"

namespace millrace::cdc {

using connectors::Change;
using connectors::ChangeOp;
using connectors::FeedStream;
using connectors::Field;
using connectors::format_lsn;
using connectors::is_deduped;
using connectors::Kind;

namespace {

// The binary form means the same at every server, as in connectors/postgres/types.h: no OID of this one inside.
bool safe_in_binary(const Field& f) {
  return !f.as_text && !(f.type.kind == Kind::array && f.source_type != f.type.pg_type);
}

bool all_safe_in_binary(const std::vector<FeedStream>& streams) {
  for (const auto& s : streams)
    for (const auto& f : s.stream.schema->fields)
      if (!safe_in_binary(f)) return false;
  return true;
}

std::vector<TransactionSnapshot> snapshots_of(const std::vector<FeedStream>& streams, Lsn from) {
  std::vector<TransactionSnapshot> out;
  for (const auto& s : streams) {
    // A log of changes has each of them, also those that its first rows show already. And a snapshot is asked only
    // while it can have seen something: the ids of the wire mean nothing against one that is billions of transactions
    // old.
    const bool skips = is_deduped(s.stream.sync_mode) && !s.state.empty() && (s.settled == 0 || from < s.settled);
    const std::string text = skips ? load_state_from_json(s.state).snapshot : std::string();
    out.push_back(text.empty() ? TransactionSnapshot() : TransactionSnapshot(text));
  }
  return out;
}

// Values are printed with the settings of this connection.
net::PostgresParameters pinned(net::PostgresParameters p) {
  std::string& options = p.options["options"];
  options += (options.empty() ? "" : " ");
  options +=
      "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex "
      "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";
  if (!p.options.contains("application_name")) p.options["application_name"] = "millrace cdc";
  return p;
}

}  // namespace

FollowRun::FollowRun(PostgresFeed& feed, std::vector<FeedStream> streams, Lsn from, Lsn until,
                     connectors::ChangeSink& out)
    : feed_(feed),
      runtime_(feed.runtime()),
      streams_(std::move(streams)),
      loaded_(snapshots_of(streams_, from)),
      types_(streams_.size()),
      from_(from),
      until_(until),
      out_(out),
      relations_(streams_),
      spool_(runtime_, feed.spool()),
      boundary_(from),
      received_(from),
      idle_told_(runtime_.mono()) {
  current_.skip.assign(streams_.size(), false);
}

asio::awaitable<void> FollowRun::run() {
  co_await look_at_columns();
  co_await connect();
  auto executor = co_await asio::this_coro::executor;
  TaskGroup group(runtime_);
  group.spawn_on(executor, "cdc feedback", status_loop());
  std::exception_ptr error;
  try {
    co_await read_loop();
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await group.stop();
  session_->close();
  if (error) std::rethrow_exception(error);
}

// What type each column has now: a Relation with another one tells that it was changed.
asio::awaitable<void> FollowRun::look_at_columns() {
  auto session = co_await feed_.pool().take();
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto& name = streams_[i].stream.name;
    const std::vector<std::optional<std::string>> parameters{name.ns, name.name};
    const auto found = co_await session->query(
        "SELECT a.attname, a.atttypid FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum "
        "> 0 AND NOT a.attisdropped",
        parameters);
    for (std::size_t r = 0; r < found.rows.size(); ++r)
      types_[i][found.at(r, 0)] = static_cast<std::uint32_t>(std::strtoul(found.at(r, 1).c_str(), nullptr, 10));
  }
  const auto timeout = co_await session->query(
      "SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", {});
  const std::int64_t ms = timeout.rows.empty() ? 0 : std::strtoll(timeout.at(0, 0).c_str(), nullptr, 10);
  if (ms > 0)
    status_every_ = std::min<Duration>(kStatusEvery, std::chrono::milliseconds(std::max<std::int64_t>(ms / 3, 20)));
  feed_.pool().give_back(std::move(session));
}

asio::awaitable<void> FollowRun::connect() {
  const auto& replication = *feed_.config().replication;
  const MonoTime give_up = runtime_.mono() + kSlotBusyFor;
  Duration pause = std::chrono::milliseconds(50);
  for (;;) {
    session_ = co_await net::connect_replication(runtime_, pinned(feed_.config().parameters));
    binary_ = session_->server_version() >= 140000 && all_safe_in_binary(streams_);
    std::string text = "START_REPLICATION SLOT " + net::quote_identifier(replication.slot) + " LOGICAL " +
                       format_lsn(from_) + " (proto_version '" + (session_->server_version() >= 140000 ? "2" : "1") +
                       "', publication_names " + net::quote_literal(net::quote_identifier(replication.publication));
    if (session_->server_version() >= 140000) text += ", streaming 'on'";
    if (binary_) text += ", binary 'true'";
    text += ")";
    std::exception_ptr failure;
    std::string busy;
    try {
      co_await session_->start(text);
    } catch (const net::PostgresError& e) {
      // The reader of a process that died is noticed by the server only when it writes to it.
      if (e.sqlstate() == "55006")
        busy = e.detail();
      else if (e.sqlstate() == "42704")
        failure = std::make_exception_ptr(Error("cdc.slot_lost", e.detail()));
      else if (e.sqlstate() == "55000")
        failure = std::make_exception_ptr(Error("cdc.slot_lost", e.detail()));
      else
        failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    if (busy.empty()) co_return;
    session_->close();
    if (runtime_.mono() > give_up) throw Error("cdc.slot_active", busy);
    co_await runtime_.sleep_for(pause);
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(1));
  }
}

asio::awaitable<void> FollowRun::read_loop() {
  std::size_t taken = 0;
  while (until_ == 0 || boundary_ < until_) {
    std::string_view message;
    if (!session_->read_now(message)) {
      // Nothing more is here: what was gathered goes out at once. Waiting for more would cost time and gain nothing,
      // since a busy destination takes all that has queued.
      co_await hand_out();
      co_await session_->wait_readable();
      taken = 0;
      continue;
    }
    co_await take(message);
    if (batch_.size() >= kBatchBytes) co_await hand_out();
    // The strand is shared with the feedback, and the pool with others.
    if (++taken % 1024 == 0) co_await runtime_.sleep_for(kYield);
  }
  co_await hand_out();
}

asio::awaitable<void> FollowRun::hand_out() {
  if (batch_.changes().empty() && batch_.boundary == 0) co_return;
  const Lsn boundary = batch_.boundary;
  connectors::ChangeBatch batch = std::move(batch_);
  batch_ = connectors::ChangeBatch();
  // Before the write: the destination may be done with it before this coroutine runs again.
  if (boundary != 0) feed_.handed_out(boundary);
  co_await out_.write(std::move(batch));
}

asio::awaitable<void> FollowRun::take(std::string_view message) {
  const auto bad = [] { throw Error("cdc.bad_message", "a message of the replication protocol is cut short"); };
  if (message.empty()) bad();
  if (message.front() == 'k') {
    if (message.size() < 18) bad();
    const Lsn end = from_big_endian<std::uint64_t>(message.data() + 1);
    const auto clock = from_big_endian<std::int64_t>(message.data() + 9);
    const bool reply = message[17] != 0;
    co_await take_keepalive(end, clock + kPostgresEpochUs, reply);
  } else if (message.front() == 'w') {
    if (message.size() < 25) bad();
    // Relation and Type messages come with 0: a position never goes back.
    received_ = std::max(received_, static_cast<Lsn>(from_big_endian<std::uint64_t>(message.data() + 1)));
    co_await take_payload(message.substr(25));
  }
}

asio::awaitable<void> FollowRun::take_keepalive(Lsn end, std::int64_t clock_us, bool reply) {
  received_ = std::max(received_, end);
  if (reply) co_await send_status(false);
  if (current_.open || end <= boundary_) co_return;
  const bool at_the_end = until_ != 0 && end >= until_;
  if (!at_the_end && runtime_.mono() - idle_told_ < kIdleEvery) co_return;
  idle_told_ = runtime_.mono();
  boundary_ = batch_.boundary = end;
  batch_.boundary_time_us = clock_us;
}

asio::awaitable<void> FollowRun::take_payload(std::string_view payload) {
  // Inside a segment everything but its end is kept as it is, under the subtransaction that it names.
  if (decoder_.in_stream() && !payload.empty() && payload.front() != 'E' && payload.front() != 'S') {
    if (payload.front() == 'O') co_return;
    if (payload.size() < 5) throw Error("cdc.bad_message", "a streamed message is cut short");
    const auto subxid = from_big_endian<std::uint32_t>(payload.data() + 1);
    // A message that is not part of the transaction has no use for us.
    if (payload.front() == 'M') co_return;
    spool_.append(streaming_, subxid, payload);
    if (spool_.memory_used() > feed_.spool().memory_bytes) co_await spool_.settle();
    co_return;
  }
  decoder_.decode(payload, message_);
  switch (message_.tag) {
    case 'S':
      if (message_.first_segment) spool_.forget(message_.xid);
      streaming_ = message_.xid;
      break;
    case 'E':
      streaming_ = 0;
      break;
    case 'A':
      spool_.abort(message_.xid, message_.subxid);
      break;
    case 'c': {
      const std::uint32_t xid = message_.xid;
      const Lsn end_lsn = message_.end_lsn;
      begin(xid, message_.lsn, message_.time_us);
      co_await release(xid);
      end(end_lsn);
      break;
    }
    default:
      co_await take_decoded();
  }
}

// A streamed transaction that has committed: its messages in their order, as if they came now.
asio::awaitable<void> FollowRun::release(std::uint32_t xid) {
  PgOutputDecoder decoder;
  decoder.set_in_stream(true);
  spool_.begin_read(xid);
  std::string block;
  while (co_await spool_.next_block(xid, block)) {
    std::string_view rest = block, record;
    while (spool_.next_record(xid, rest, record)) {
      decoder.decode(record, message_);
      co_await take_decoded();
      if (batch_.size() >= kBatchBytes) co_await hand_out();
    }
  }
  spool_.forget(xid);
}

asio::awaitable<void> FollowRun::take_decoded() {
  switch (message_.tag) {
    case 'B':
      begin(message_.xid, message_.lsn, message_.time_us);
      break;
    case 'C':
      end(message_.end_lsn);
      break;
    case 'R':
      co_await take_relation();
      break;
    case 'I':
      add_row(ChangeOp::insert);
      break;
    case 'U':
      add_row(ChangeOp::update);
      break;
    case 'D':
      add_row(ChangeOp::remove);
      break;
    case 'T':
      add_truncate();
      break;
    case 'O':
    case 'Y':
    case 'M':
      break;
    default:
      throw Error("cdc.bad_message", "a message that was not asked for: " + describe(message_));
  }
}

void FollowRun::begin(std::uint32_t xid, Lsn lsn, std::int64_t time_us) {
  current_.open = true;
  current_.xid = xid;
  current_.lsn = lsn;
  current_.time_us = time_us;
  current_.seq = 0;
  // Records don't overlap: a commit that begins before a position that we have ends at it or before it.
  current_.done_before = lsn < from_;
  for (std::size_t i = 0; i < streams_.size(); ++i) current_.skip[i] = !loaded_[i].empty() && loaded_[i].sees(xid);
}

void FollowRun::end(Lsn end_lsn) {
  current_.open = false;
  if (end_lsn <= boundary_) {
    if (!current_.done_before)
      throw Error("cdc.bad_message", "a transaction ends at " + format_lsn(end_lsn) + ", after all up to " +
                                         format_lsn(boundary_) + " had been sent");
    return;
  }
  boundary_ = batch_.boundary = end_lsn;
  batch_.boundary_time_us = current_.time_us;
  ++batch_.transactions;
  // Once the log is past the moment at which a load was whole, nothing of it can be in the load any more.
  for (std::size_t i = 0; i < streams_.size(); ++i)
    if (streams_[i].settled != 0 && end_lsn >= streams_[i].settled) loaded_[i] = TransactionSnapshot();
}

bool FollowRun::wanted() const { return current_.open && !current_.done_before; }

void FollowRun::add_row(ChangeOp op) {
  ++current_.seq;
  const MappedRelation& relation = relations_.at(message_.relation);
  if (relation.stream < 0 || !wanted()) return;
  if (current_.skip[static_cast<std::size_t>(relation.stream)]) return;
  batch_.boundary = 0;
  Change change;
  change.op = op;
  change.stream = static_cast<std::uint32_t>(relation.stream);
  change.text = !binary_;
  change.seq = current_.seq;
  change.lsn = current_.lsn;
  change.time_us = current_.time_us;
  append_change(relation, message_, change, batch_);
}

void FollowRun::add_truncate() {
  for (const auto oid : message_.relations) {
    ++current_.seq;
    const MappedRelation& relation = relations_.at(oid);
    if (relation.stream < 0 || !wanted()) continue;
    if (current_.skip[static_cast<std::size_t>(relation.stream)]) continue;
    batch_.boundary = 0;
    Change change;
    change.op = ChangeOp::truncate;
    change.stream = static_cast<std::uint32_t>(relation.stream);
    change.seq = current_.seq;
    change.lsn = current_.lsn;
    change.time_us = current_.time_us;
    batch_.add(change);
  }
}

// A column that we don't know is either younger than our look at the table, or was dropped since.
asio::awaitable<void> FollowRun::take_relation() {
  const MappedRelation& relation = relations_.put(message_);
  if (relation.stream < 0) co_return;
  const auto i = static_cast<std::size_t>(relation.stream);
  const std::string table = relation.ns + "." + relation.name;
  for (const auto& column : relation.columns) {
    const auto it = types_[i].find(column.name);
    const bool read = streams_[i].stream.schema->index_of(column.name).has_value();
    if (it != types_[i].end() && it->second != column.type && read)
      throw Error("cdc.schema_changed", table + ": the type of column \"" + column.name + "\" changed, before " +
                                            format_lsn(current_.lsn) + " or after it");
  }
  if (relation.unknown.empty()) co_return;
  auto session = co_await feed_.pool().take();
  for (const auto& column : relation.unknown) {
    const std::vector<std::optional<std::string>> parameters{relation.ns, relation.name, column};
    const auto found = co_await session->query(
        "SELECT 1 FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = "
        "$3 AND a.attnum > 0 AND NOT a.attisdropped",
        parameters);
    if (!found.rows.empty())
      throw Error("cdc.schema_changed",
                  table + " has a new column \"" + column + "\", seen before " + format_lsn(current_.lsn));
  }
  feed_.pool().give_back(std::move(session));
  // Columns that are gone, and others that were not there yet: a column may have got another name, and then its values
  // must not be taken for nobody's.
  for (std::size_t f = 0; f < relation.column_of.size(); ++f)
    if (relation.column_of[f] < 0)
      throw Error("cdc.schema_changed", table + " had \"" + relation.unknown.front() + "\" and not yet \"" +
                                            streams_[i].stream.schema->fields[f].name + "\" before " +
                                            format_lsn(current_.lsn) + ": it may have been renamed");
}

asio::awaitable<void> FollowRun::send_status(bool ask) {
  std::string status = "r";
  append_big_endian(status, std::max(received_, feed_.confirmed()));
  append_big_endian(status, feed_.confirmed());
  append_big_endian(status, feed_.confirmed());
  append_big_endian(status, to_micros(runtime_.now()) - kPostgresEpochUs);
  status += ask ? '\1' : '\0';
  co_await session_->send(std::move(status));
}

// Often enough for the server's patience, at once when there is progress to tell; while the end is waited for, the
// server is asked where it is.
asio::awaitable<void> FollowRun::status_loop() {
  MonoTime sent = runtime_.mono() - status_every_;
  Lsn told = 0;
  for (;;) {
    const bool due = runtime_.mono() - sent >= status_every_;
    const bool ask = until_ != 0 && boundary_ < until_;
    if (due || ask || feed_.confirmed() > told) {
      told = feed_.confirmed();
      sent = runtime_.mono();
      co_await send_status(ask);
    }
    co_await runtime_.sleep_for(std::min<Duration>(kLook, status_every_));
  }
}

}  // namespace millrace::cdc
