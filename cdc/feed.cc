#include "cdc/feed.h"

#include <algorithm>

#include "cdc/follow_run.h"
#include "cdc/handover.h"
#include "cdc/slot_care.h"
#include "common/errors.h"
#include "common/log.h"

namespace millrace::cdc {

using connectors::FeedPosition;
using connectors::FeedStream;
using connectors::format_lsn;
using connectors::Lsn;
using connectors::postgres::SessionPtr;

PostgresFeed::PostgresFeed(Runtime runtime, connectors::postgres::PostgresConfig config, SpoolOptions spool)
    : runtime_(runtime),
      config_(std::move(config)),
      spool_(std::move(spool)),
      pool_(std::move(runtime), config_.parameters, connectors::postgres::pinned_settings()) {}

// A transactional message commits: whoever reads the slot gets past what was there before it, also on a server where
// nothing else happens; and all that committed without waiting for the disk is on it then. Not on a standby.
asio::awaitable<FeedPosition> PostgresFeed::now() {
  const SystemIdentity identity = co_await identify_system(runtime_, config_.parameters);
  SessionPtr session = co_await pool_.take();
  const auto recovery = co_await session->query("SELECT pg_catalog.pg_is_in_recovery()", {});
  FeedPosition at;
  if (recovery.at(0, 0) == "t") {
    const auto found = co_await session->query("SELECT pg_catalog.pg_last_wal_replay_lsn()", {});
    at.lsn = connectors::parse_lsn(found.at(0, 0)).value_or(0);
  } else {
    co_await session->execute(
        "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_logical_emit_message(true, 'millrace', ''); "
        "COMMIT");
    const auto found = co_await session->query("SELECT pg_catalog.pg_current_wal_flush_lsn()", {});
    at.lsn = connectors::parse_lsn(found.at(0, 0)).value_or(0);
  }
  pool_.give_back(std::move(session));
  at.slot = config_.replication->slot;
  at.system = identity.system;
  at.timeline = identity.timeline;
  co_return at;
}

namespace {

[[noreturn]] void other_cluster(const std::string& what, const std::string& theirs, const std::string& now) {
  throw Error("cdc.other_cluster",
              what + " is of the cluster with system identifier " + theirs + ", this one has " + now);
}

std::string lost_text(const SlotFacts& facts) {
  return facts.invalidation.empty() ? "its log is lost (wal_status is lost)"
                                    : "it was invalidated: " + facts.invalidation;
}

}  // namespace

asio::awaitable<FeedPosition> PostgresFeed::start(std::optional<FeedPosition> stored, std::vector<FeedStream> streams,
                                                  std::vector<bool> fresh) {
  const std::string& slot = config_.replication->slot;
  const SystemIdentity identity = co_await identify_system(runtime_, config_.parameters);
  if (stored && stored->system != identity.system)
    other_cluster("the destination's position " + format_lsn(stored->lsn), stored->system, identity.system);
  SessionPtr session = co_await pool_.take();
  const auto facts = co_await slot_facts(*session, slot);
  pool_.give_back(std::move(session));

  // Each stream needs the log from where the destination stands; one that was loaded since, from where the slot stood
  // when its load began, if that is later than the destination knows.
  Lsn begin = 0;
  std::string needs;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    Lsn from = stored ? stored->lsn : 0;
    if (fresh[i] || !stored) {
      const LoadState state = load_state_from_json(streams[i].state);
      if (state.system != identity.system)
        other_cluster("the load of " + streams[i].stream.name.text(), state.system, identity.system);
      if (state.slot != slot && !stored)
        throw Error("cdc.gap", streams[i].stream.name.text() + " was loaded for the slot \"" + state.slot +
                                   "\", now the slot is \"" + slot + "\"");
      from = std::max(from, state.lsn);
    }
    if (facts && facts->confirmed > from)
      needs += (needs.empty() ? "" : ", ") + streams[i].stream.name.text() + " from " + format_lsn(from);
    begin = begin == 0 ? from : std::min(begin, from);
  }
  if (!facts)
    throw Error("cdc.slot_lost",
                "the slot \"" + slot + "\" does not exist; changes from " + format_lsn(begin) + " on are needed");
  if (facts->lost())
    throw Error("cdc.slot_lost", "the slot \"" + slot + "\": " + lost_text(*facts) + "; changes from " +
                                     format_lsn(begin) + " on are needed");
  if (stored && stored->slot != slot && facts->confirmed > stored->lsn)
    throw Error("cdc.gap", "the slot is \"" + slot + "\" now and was \"" + stored->slot + "\"; it stands at " +
                               format_lsn(facts->confirmed) + ", the destination at " + format_lsn(stored->lsn));
  if (!needs.empty())
    throw Error("cdc.gap", "the slot \"" + slot + "\" gives changes from " + format_lsn(facts->confirmed) +
                               " on; needed are " + needs);
  if (stored && stored->timeline != 0 && identity.timeline != stored->timeline) {
    log_warn("the source has a new timeline", {{"slot", slot},
                                               {"timeline", identity.timeline},
                                               {"position_of_timeline", stored->timeline},
                                               {"position", format_lsn(stored->lsn)}});
    if (facts->server < stored->lsn)
      throw Error("cdc.gap", "after a switch to timeline " + std::to_string(identity.timeline) +
                                 " the source's log ends at " + format_lsn(facts->server) +
                                 ", the destination holds changes up to " + format_lsn(stored->lsn));
  }
  confirmed_.store(begin);
  handed_out_.store(begin);
  FeedPosition at;
  at.slot = slot;
  at.system = identity.system;
  at.timeline = identity.timeline;
  at.lsn = begin;
  co_return at;
}

asio::awaitable<void> PostgresFeed::follow(std::vector<FeedStream> streams, Lsn from, Lsn until,
                                           connectors::ChangeSink& out) {
  FollowRun run(*this, std::move(streams), from, until, out);
  co_await run.run();
}

void PostgresFeed::confirm(Lsn lsn) {
  Lsn before = confirmed_.load();
  while (before < lsn && !confirmed_.compare_exchange_weak(before, lsn)) {
  }
}

asio::awaitable<connectors::FeedStatus> PostgresFeed::status() {
  connectors::FeedStatus out;
  out.slot = config_.replication->slot;
  out.publication = config_.replication->publication;
  SessionPtr session = co_await pool_.take();
  const auto facts = co_await slot_facts(*session, out.slot);
  pool_.give_back(std::move(session));
  if (!facts) co_return out;
  out.exists = true;
  out.plugin = facts->plugin;
  out.database = facts->database;
  out.active = facts->active;
  out.active_pid = facts->active_pid;
  out.confirmed = facts->confirmed;
  out.restart = facts->restart;
  out.server = facts->server;
  out.retained_bytes = facts->retained_bytes;
  out.safe_bytes = facts->safe_bytes;
  out.wal_status = facts->wal_status;
  out.invalidation = facts->invalidation;
  co_return out;
}

asio::awaitable<void> PostgresFeed::close() {
  pool_.close();
  co_return;
}

}  // namespace millrace::cdc
