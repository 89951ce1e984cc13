#include "state/commit_queue.h"

#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/runtime_sim.h"

namespace millrace::state::testing {
namespace {

Batch batch_of(std::size_t bytes) {
  Batch b;
  b.put("k", std::string(bytes - 1, 'v'));
  return b;
}

std::string error_of(const PendingPtr& pending) {
  if (!pending->error) return "none";
  try {
    std::rethrow_exception(pending->error);
  } catch (const Error& e) {
    return std::string(e.code());
  }
}

asio::awaitable<void> note_order(PendingPtr pending, int id, std::string* order) {
  co_await wait_commit(std::move(pending));
  *order += std::to_string(id);
}

}  // namespace

TEST_CASE("a group is bounded by bytes and by count, and holds at least one batch") {
  CommitQueueOptions options;
  options.max_group_bytes = 100;
  options.max_group_batches = 3;
  CommitQueue queue(options);
  for (const std::size_t bytes : {40, 60, 1, 500, 1, 1, 1, 1}) queue.push(batch_of(bytes), MonoTime());
  std::vector<std::size_t> sizes;
  while (!queue.empty()) sizes.push_back(queue.take_group().size());
  CHECK(sizes == std::vector<std::size_t>{2, 1, 1, 3, 1});
  CHECK(queue.take_group().empty());
}

TEST_CASE("a full queue refuses, an empty one takes anything") {
  CommitQueueOptions options;
  options.max_queued_bytes = 100;
  CommitQueue queue(options);
  CHECK(error_of(queue.push(batch_of(1'000), MonoTime())) == "none");
  const auto refused = queue.push(batch_of(1), MonoTime());
  CHECK(error_of(refused) == "store.overloaded");
  CHECK(refused->done.is_set());
  queue.take_group();
  CHECK(error_of(queue.push(batch_of(50), MonoTime())) == "none");
  CHECK(error_of(queue.push(batch_of(50), MonoTime())) == "none");
  CHECK(error_of(queue.push(batch_of(2), MonoTime())) == "store.overloaded");
}

TEST_CASE("a closed queue refuses, and gives out what it has") {
  CommitQueue queue;
  queue.push(batch_of(10), MonoTime());
  queue.close();
  CHECK(error_of(queue.push(batch_of(10), MonoTime())) == "store.unavailable");
  CHECK(queue.wait());
  CHECK(queue.take_group().size() == 1);
  CHECK_FALSE(queue.wait());
}

TEST_CASE("a failed queue gives its error to all who wait and to all who come") {
  CommitQueue queue;
  const auto waiting = queue.push(batch_of(10), MonoTime());
  queue.fail(std::make_exception_ptr(Error("store.corrupt")));
  CHECK(error_of(waiting) == "store.corrupt");
  CHECK(waiting->done.is_set());
  CHECK(error_of(queue.push(batch_of(10), MonoTime())) == "store.corrupt");
  CHECK_FALSE(queue.wait());
}

TEST_CASE("a read that fails for a condition fails that batch only") {
  CommitQueue queue;
  std::vector<PendingPtr> pending;
  for (int i = 0; i < 3; ++i) {
    Batch b;
    if (i == 1) b.expect("damaged", "x");
    b.put("k" + std::to_string(i), "v");
    pending.push_back(queue.push(std::move(b), MonoTime()));
  }
  const auto group = queue.take_group();
  const auto admitted = admit(
      group, [](const std::string&) -> std::optional<std::string> { throw Error("store.corrupt", "a checksum"); });
  CHECK(admitted == std::vector<const Batch*>{&pending[0]->batch, &pending[2]->batch});
  complete(group);
  CHECK(error_of(pending[0]) == "none");
  CHECK(error_of(pending[1]) == "store.corrupt");
  CHECK(pending[1]->done.is_set());
}

TEST_CASE(
    "waiters are woken in the order of their batches, and a failed condition keeps its outcome when the write fails") {
  SimRuntime sim(1);
  CommitQueue queue;
  std::string order;
  std::vector<PendingPtr> pending;
  for (int i = 0; i < 5; ++i) {
    Batch b;
    if (i == 2) b.expect("nothing", "here");
    pending.push_back(queue.push(std::move(b), MonoTime()));
  }
  for (const int i : {3, 0, 4, 1, 2})
    asio::co_spawn(sim.runtime().executor(), note_order(pending[static_cast<std::size_t>(i)], i, &order),
                   [](std::exception_ptr) {});
  sim.run_ready();
  const auto group = queue.take_group();
  admit(group, [](const std::string&) { return std::optional<std::string>(); });
  complete(group);
  sim.run_ready();
  CHECK(order == "01234");
  CHECK(pending[2]->outcome == Commit::condition_failed);

  Batch fails;
  fails.expect("nothing", "here");
  const auto conditional = queue.push(std::move(fails), MonoTime());
  const auto written = queue.push(batch_of(10), MonoTime());
  const auto second = queue.take_group();
  admit(second, [](const std::string&) { return std::optional<std::string>(); });
  complete(second, std::make_exception_ptr(Error("store.disk_full")));
  CHECK(error_of(conditional) == "none");
  CHECK(conditional->outcome == Commit::condition_failed);
  CHECK(error_of(written) == "store.disk_full");
}

}  // namespace millrace::state::testing
