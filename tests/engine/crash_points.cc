#include "tests/engine/crash_points.h"

namespace millrace::engine {
namespace {

namespace keys = state::keys;
using state::CrashPoint;
using state::DurableImage;
using state::MemoryStore;

// One process. Kept until the end of the program: a dead process runs nothing.
struct Life {
  Life(DurableImage image, const CrashStory& story, CrashLedgerPtr ledger, std::uint64_t seed)
      : sim(seed), store(std::make_shared<MemoryStore>(sim.runtime(), std::move(image))) {
    store->set_faults(story.faults);
    Registry registry;
    story.code(registry, std::move(ledger));
    engine = std::make_unique<Engine>(sim.runtime(), store, std::move(registry), EngineOptions());
  }
  SimRuntime sim;
  std::shared_ptr<MemoryStore> store;
  std::unique_ptr<Engine> engine;
};
std::vector<std::unique_ptr<Life>>& graveyard() {
  static std::vector<std::unique_ptr<Life>> lives;
  return lives;
}

asio::awaitable<void> client(Life* life, const CrashStory* story, CrashLedgerPtr ledger, bool* done) {
  co_await life->engine->start();
  co_await story->client(life->engine.get(), std::move(ledger), life->sim.runtime());
  *done = true;
}

// Lives until the story has ended (true) or the store has crashed.
bool live(Life& life, const CrashStory& story, const CrashLedgerPtr& ledger) {
  bool done = false;
  std::exception_ptr error;
  asio::co_spawn(life.sim.runtime().executor(), client(&life, &story, ledger, &done),
                 [&](std::exception_ptr e) { error = e; });
  for (;;) {
    life.sim.run_ready();
    // What follows behind the caller's back is a part of the story.
    if (done && !life.store->crashed()) life.sim.run_until_idle(std::chrono::seconds(10));
    if (done || life.store->crashed()) return done && !life.store->crashed();
    if (error) std::rethrow_exception(error);
    REQUIRE(life.sim.advance_to_next_timer());
  }
}

template <class F>
asio::awaitable<void> each_row(state::Store* store, std::string prefix, F take) {
  state::Range range = state::prefix_range(prefix);
  for (;;) {
    const auto rows = co_await store->scan(range);
    if (rows.empty()) co_return;
    for (const state::KeyValue& row : rows) take(row);
    range.begin = rows.back().key + '\0';
  }
}

asio::awaitable<void> read_disk(state::Store* store, DiskAfterCrash* disk) {
  const auto run = [disk](const state::KeyValue& row) {
    state::KeyReader key(row.key);
    DiskAfterCrash::Run r;
    r.id = key.str();
    r.record = decode_record<RunRecord>(row.value);
    disk->runs.push_back(std::move(r));
  };
  const auto current = [disk](const state::KeyValue& row) {
    state::KeyReader key(row.key);
    disk->current[key.str()] = decode_record<CurrentRow>(row.value).run_id;
  };
  const auto message = [disk](const state::KeyValue& row) {
    disk->outbox.push_back(decode_record<OutboxRow>(row.value));
  };
  const auto timer = [disk](const state::KeyValue& row) {
    state::KeyReader key(row.key);
    const WallTime fires = key.time();
    disk->timers.emplace_back(fires, decode_record<TimerRow>(row.value));
  };
  const auto attempt = [disk](const state::KeyValue& row) {
    disk->attempts.push_back(decode_record<AttemptRecord>(row.value));
  };
  co_await each_row(store, keys::run_prefix(), run);
  co_await each_row(store, keys::current_prefix(), current);
  co_await each_row(store, keys::outbox_prefix(0), message);
  co_await each_row(store, keys::timer_prefix(), timer);
  for (DiskAfterCrash::Run& r : disk->runs) {
    co_await each_row(store, keys::attempts_of_run_prefix(r.id), attempt);
    HistoryReader reader(*store, r.id);
    for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next())
      for (const HistoryEvent& e : events) r.events.push_back(view_of(e).type);
  }
}

DiskAfterCrash look(DurableImage image) {
  SimRuntime sim(1);
  auto store = std::make_shared<MemoryStore>(sim.runtime(), std::move(image));
  DiskAfterCrash disk;
  sim.run_until_done(read_disk(store.get(), &disk));
  store->close();
  sim.run_ready();
  return disk;
}

struct End {
  std::vector<Execution> runs;
  int divergences = 0;
  std::size_t rows_left = 0;
  DoctorReport doctor;
};
asio::awaitable<void> look_at_end(Engine* engine, std::shared_ptr<MemoryStore> store, End* end) {
  end->runs = (co_await engine->list(ListFilter())).executions;
  bool any_open = false;
  for (const Execution& e : end->runs) {
    const VerifyReport report = co_await engine->verify(e.workflow_id, e.run_id);
    if (report.divergence) ++end->divergences;
    any_open = any_open || is_open(e.status);
  }
  if (!any_open) {
    end->rows_left += (co_await store->scan(state::prefix_range(keys::timer_prefix()))).size();
    end->rows_left += (co_await store->scan(state::prefix_range(keys::open_run_prefix()))).size();
    end->rows_left += (co_await store->scan(state::prefix_range(keys::outbox_prefix(0)))).size();
  }
  std::shared_ptr<state::Snapshot> view = store->snapshot();
  end->doctor = co_await examine(std::move(view), {});
}

void check_end(Life& life, const CrashStory& story, const CrashLedger& ledger) {
  if (!story.attempts_may_repeat)
    for (const auto& [what, n] : ledger.began) {
      INFO(what);
      REQUIRE(n == 1);
    }
  End end;
  life.sim.run_until_done(look_at_end(life.engine.get(), life.store, &end));
  REQUIRE(end.divergences == 0);
  REQUIRE(end.rows_left == 0);
  INFO(summary_of(end.doctor));
  REQUIRE(end.doctor.fault_count == 0);
  if (story.end) story.end(*life.engine, life.sim, ledger);
}

// False: there was no such write.
bool crash_at(const CrashStory& story, std::uint64_t write, CrashPoint point, int* hits) {
  auto ledger = std::make_shared<CrashLedger>();
  DurableImage image;
  bool crashed = false;
  for (int n = 0; n <= story.crashes; ++n) {
    graveyard().push_back(std::make_unique<Life>(std::move(image), story, ledger, static_cast<std::uint64_t>(n) + 1));
    Life& life = *graveyard().back();
    if (n > 0 && story.between_lives) story.between_lives(life.sim);
    if (n < story.crashes) life.store->crash_at(write, point);
    if (live(life, story, ledger)) {
      check_end(life, story, *ledger);
      return crashed;
    }
    crashed = true;
    image = life.store->take_durable_image();
    if (story.is_there(look(image), *ledger, life.sim.runtime().now())) ++*hits;
  }
  FAIL("the story does not end");
  return crashed;
}

}  // namespace

void hit_crash_point(const CrashStory& story) {
  int hits = 0;
  for (const CrashPoint point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after})
    for (std::uint64_t write = 1; crash_at(story, write, point, &hits);) ++write;
  CHECK(hits > 0);
}

void add_counted_step(Registry& registry, const std::string& type, CrashLedgerPtr ledger, Duration takes) {
  registry.add_step(type, [ledger, takes](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
    const std::string what = ctx.workflow_id() + " " + ctx.activity_id() + " " + std::to_string(ctx.token().attempt);
    ++ledger->began[what];
    if (takes.count() > 0) co_await ctx.runtime().sleep_for(takes);
    ++ledger->ended[what];
    co_return input;
  });
}

}  // namespace millrace::engine
