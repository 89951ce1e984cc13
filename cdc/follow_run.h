// One run of reading the log: connection, messages, transactions, feedback.
//
// Two coroutines on one strand: the reader takes messages off the connection and turns them into batches; the other
// tells the server how far we are, on time also while the reader waits for a slow destination. Ordinary transactions
// come after their commit and go out as they come, in several batches where they are large (the destination keeps its
// transaction open until the boundary). Those that the server streams before their end wait in the spool.
//
// A position goes out as a boundary only outside a transaction: the end of a commit, or, with nothing under way, the
// place up to which the server says that it has read (a keepalive): what committed before that was sent before. A
// transaction that is still open and spooled does not hold it back, since the server sends it again whole until its
// commit is confirmed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cdc/feed.h"
#include "cdc/handover.h"
#include "cdc/pgoutput.h"
#include "cdc/relations.h"
#include "cdc/transaction_spool.h"
#include "common/event.h"
#include "net/postgres_replication.h"

namespace millrace::cdc {

class FollowRun {
 public:
  FollowRun(PostgresFeed& feed, std::vector<connectors::FeedStream> streams, Lsn from, Lsn until,
            connectors::ChangeSink& out);
  // Until a boundary at or after `until`; throws what ends it before.
  asio::awaitable<void> run();

  static constexpr std::size_t kBatchBytes = 256 << 10;
  // An idle position is handed out at most this often: it costs the destination a transaction.
  static constexpr Duration kIdleEvery = std::chrono::seconds(10);
  static constexpr Duration kStatusEvery = std::chrono::seconds(10);
  static constexpr Duration kYield = std::chrono::microseconds(0);
  static constexpr Duration kLook = std::chrono::milliseconds(100);  // for progress to tell, and for the end
  static constexpr Duration kSlotBusyFor = std::chrono::seconds(30);

 private:
  // The transaction whose changes are handed out.
  struct Current {
    bool open = false;
    std::uint32_t xid = 0;
    Lsn lsn = 0;
    std::int64_t time_us = 0;
    std::uint32_t seq = 0;
    bool done_before = false;  // the destination has it
    std::vector<bool> skip;    // for each stream: its load has seen it
  };

  asio::awaitable<void> look_at_columns();
  asio::awaitable<void> connect();
  asio::awaitable<void> read_loop();
  asio::awaitable<void> status_loop();
  asio::awaitable<void> send_status(bool ask);
  asio::awaitable<void> take(std::string_view message);
  asio::awaitable<void> take_payload(std::string_view payload);
  asio::awaitable<void> take_decoded();  // message_, of a transaction that has committed
  asio::awaitable<void> take_relation();
  asio::awaitable<void> take_keepalive(Lsn end, std::int64_t clock_us, bool reply);
  asio::awaitable<void> release(std::uint32_t xid);
  void begin(std::uint32_t xid, Lsn lsn, std::int64_t time_us);
  void end(Lsn end_lsn);
  void add_row(connectors::ChangeOp op);
  void add_truncate();
  asio::awaitable<void> hand_out();
  bool wanted() const;  // by anybody, at this transaction

  PostgresFeed& feed_;
  Runtime runtime_;
  const std::vector<connectors::FeedStream> streams_;
  std::vector<TransactionSnapshot> loaded_;                  // for each stream; empty: nothing is skipped
  std::vector<std::map<std::string, std::uint32_t>> types_;  // for each stream: column, oid of its type now
  const Lsn from_, until_;
  connectors::ChangeSink& out_;

  std::unique_ptr<net::PostgresReplication> session_;
  bool binary_ = false;
  PgOutputDecoder decoder_;
  PgMessage message_;
  RelationCache relations_;
  TransactionSpool spool_;
  std::uint32_t streaming_ = 0;  // xid of the segment that is coming
  Current current_;
  connectors::ChangeBatch batch_;
  Lsn boundary_ = 0;  // the last one that went out or is in batch_
  Lsn received_ = 0;
  MonoTime idle_told_;
  Duration status_every_ = kStatusEvery;
};

}  // namespace millrace::cdc
