#include "tests/state/conformance.h"

#include <catch2/catch.hpp>

#include "common/errors.h"

namespace millrace::state::testing {

void Subject::put(std::string key, std::string value) {
  Batch b;
  b.put(std::move(key), std::move(value));
  REQUIRE(commit(std::move(b)) == Commit::done);
}

namespace {

asio::awaitable<void> collect(std::vector<asio::awaitable<Commit>> waits, std::vector<Commit>* outcomes) {
  for (auto& w : waits) outcomes->push_back(co_await std::move(w));
}

std::string code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return "no error";
}

// All rows but those that a store keeps for itself (state/keys.h: they begin with 00).
Range everything() { return Range("\x01", ""); }
Range range(std::string begin, std::string end) { return Range(std::move(begin), std::move(end)); }

}  // namespace

std::vector<Commit> Subject::commit_all(std::vector<Batch> batches) {
  std::vector<asio::awaitable<Commit>> waits;
  waits.reserve(batches.size());
  for (auto& b : batches) waits.push_back(store().commit(std::move(b)));
  std::vector<Commit> outcomes;
  run(collect(std::move(waits), &outcomes));
  return outcomes;
}

std::string Subject::keys_of(Range r) {
  std::string out;
  for (const auto& row : scan(std::move(r))) out += (out.empty() ? "" : " ") + row.key;
  return out;
}

void store_conformance(const MakeSubject& make) {
  auto s = make();

  SECTION("what was committed is read, and stays after a reopen") {
    CHECK(s->get("a") == std::nullopt);
    s->put("a", "1");
    s->put("empty", "");
    CHECK(s->get("a") == "1");
    CHECK(s->get("empty") == "");
    s->put("a", "2");
    Batch erase;
    erase.erase("empty");
    CHECK(s->commit(std::move(erase)) == Commit::done);
    s->reopen();
    CHECK(s->get("a") == "2");
    CHECK(s->get("empty") == std::nullopt);
  }

  SECTION("keys and values may hold any bytes") {
    const std::string key("\0k\xff\0", 4), value("\0v\n\xff", 4);
    s->put(key, value);
    s->reopen();
    CHECK(s->get(key) == value);
    CHECK(s->get(std::string("\0k\xff", 3)) == std::nullopt);
  }

  SECTION("later operations of a batch win over earlier ones") {
    s->put("r2", "old");
    Batch b;
    b.put("k", "1");
    b.put("k", "2");
    b.put("gone", "x");
    b.erase("gone");
    b.put("r1", "x");
    b.erase_range("r0", "r9");
    b.put("r3", "kept");
    CHECK(s->commit(std::move(b)) == Commit::done);
    CHECK(s->get("k") == "2");
    CHECK(s->get("gone") == std::nullopt);
    CHECK(s->keys_of(prefix_range("r")) == "r3");
  }

  SECTION("a condition that does not hold stops its batch, whole") {
    s->put("version", "1");
    Batch wrong;
    wrong.expect("version", "2");
    wrong.put("a", "x");
    wrong.erase("version");
    CHECK(s->commit(std::move(wrong)) == Commit::condition_failed);
    CHECK(s->get("a") == std::nullopt);
    CHECK(s->get("version") == "1");
    Batch present;
    present.expect_absent("version");
    present.put("a", "x");
    CHECK(s->commit(std::move(present)) == Commit::condition_failed);
    Batch one_of_two;
    one_of_two.expect("version", "1");
    one_of_two.expect_absent("version");
    one_of_two.put("a", "x");
    CHECK(s->commit(std::move(one_of_two)) == Commit::condition_failed);
    Batch right;
    right.expect("version", "1");
    right.expect_absent("other");
    right.put("version", "2");
    CHECK(s->commit(std::move(right)) == Commit::done);
    CHECK(s->get("version") == "2");
    CHECK(s->get("a") == std::nullopt);
  }

  SECTION("conditions alone are a batch, and an empty batch is one too") {
    s->put("version", "1");
    Batch holds, fails;
    holds.expect("version", "1");
    fails.expect("version", "2");
    CHECK(s->commit(std::move(holds)) == Commit::done);
    CHECK(s->commit(std::move(fails)) == Commit::condition_failed);
    CHECK(s->commit(Batch()) == Commit::done);
  }

  SECTION("a condition sees the batches queued before its own") {
    std::vector<Batch> batches(6);
    batches[0].expect_absent("run");
    batches[0].put("run", "1");
    batches[1].expect("run", "1");
    batches[1].put("run", "2");
    batches[2].expect("run", "1");  // no longer
    batches[2].put("run", "wrong");
    batches[3].erase("run");
    batches[4].expect_absent("run");
    batches[4].put("run", "3");
    batches[5].erase_range("r", "s");
    const auto outcomes = s->commit_all(std::move(batches));
    CHECK(outcomes == std::vector<Commit>{Commit::done, Commit::done, Commit::condition_failed, Commit::done,
                                          Commit::done, Commit::done});
    CHECK(s->get("run") == std::nullopt);
  }

  SECTION("a failed condition fails its own batch, never its group, and nobody sees what it would have done") {
    std::vector<Batch> batches(40);
    for (int i = 0; i < 40; ++i) {
      const auto n = std::to_string(i);
      if (i % 4 == 1) {
        batches[i].expect("nothing", "here");
        batches[i].put("bad", n);
        batches[i].erase_range("good0", "good9");
      } else {
        batches[i].expect_absent("bad");
        batches[i].put("good" + n, n);
      }
    }
    const auto outcomes = s->commit_all(std::move(batches));
    for (int i = 0; i < 40; ++i) CHECK(outcomes[i] == (i % 4 == 1 ? Commit::condition_failed : Commit::done));
    CHECK(s->scan(prefix_range("good")).size() == 30);
    CHECK(s->get("bad") == std::nullopt);
  }

  SECTION("conditions see an erased range in the queue, and keys put into it again") {
    s->put("p1", "x");
    s->put("p2", "x");
    std::vector<Batch> batches(3);
    batches[0].erase_range("p", "q");
    batches[0].put("p2", "new");
    batches[1].expect_absent("p1");
    batches[1].expect("p2", "new");
    batches[1].put("seen", "yes");
    batches[2].expect("p1", "x");
    const auto outcomes = s->commit_all(std::move(batches));
    CHECK(outcomes == std::vector<Commit>{Commit::done, Commit::done, Commit::condition_failed});
    CHECK(s->get("seen") == "yes");
  }

  SECTION("batches take effect in the order of the calls") {
    std::vector<Batch> batches(300);
    for (int i = 0; i < 300; ++i) {
      if (i > 0) batches[i].expect("counter", std::to_string(i - 1));
      batches[i].put("counter", std::to_string(i));
    }
    const auto outcomes = s->commit_all(std::move(batches));
    CHECK(std::count(outcomes.begin(), outcomes.end(), Commit::done) == 300);
    CHECK(s->get("counter") == "299");
    s->reopen();
    CHECK(s->get("counter") == "299");
  }

  SECTION("a batch is queued by the call, also if nobody ever waits for it") {
    Batch b;
    b.put("dropped", "written");
    {
      auto unused = s->store().commit(std::move(b));
    }
    s->put("after", "x");
    CHECK(s->get("dropped") == "written");
  }

  SECTION("a scan is ordered, half open, and bounded by rows and bytes in both directions") {
    Batch b;
    for (const char* k : {"a", "b", "ba", "bb", "c", "d"}) b.put(k, "12345");
    CHECK(s->commit(std::move(b)) == Commit::done);
    CHECK(s->keys_of(everything()) == "a b ba bb c d");
    CHECK(s->keys_of(range("b", "c")) == "b ba bb");
    CHECK(s->keys_of(range("bz", "")) == "c d");
    CHECK(s->keys_of(range("x", "z")) == "");
    CHECK(s->keys_of(range("c", "b")) == "");
    CHECK(s->keys_of(range("b", "b")) == "");
    CHECK(s->keys_of(prefix_range("b")) == "b ba bb");
    Range r = range("b", "d");
    r.reverse = true;
    CHECK(s->keys_of(r) == "c bb ba b");
    r.limit = 2;
    CHECK(s->keys_of(r) == "c bb");
    r.reverse = false;
    CHECK(s->keys_of(r) == "b ba");
    r.limit = 0;
    CHECK(s->keys_of(r) == "");
    r.limit = 100;
    r.max_bytes = 7;  // "b" + 5 is 6; "ba" passes it
    CHECK(s->keys_of(r) == "b ba");
    r.max_bytes = 0;  // always at least one
    CHECK(s->keys_of(r) == "b");
    r.reverse = true;
    CHECK(s->keys_of(r) == "c");
    Range open = range("c", "");
    open.reverse = true;
    CHECK(s->keys_of(open) == "d c");
  }

  SECTION("a prefix of ff bytes has a range too") {
    s->put("\xff\xff", "1");
    s->put("\xff\xff!", "2");
    s->put("\xfe", "3");
    CHECK(s->scan(prefix_range("\xff\xff")).size() == 2);
    CHECK(s->scan(prefix_range("\xfe\xff")).empty());
    CHECK(prefix_range("").end.empty());
  }

  SECTION("erase_range takes what lies in it and nothing else") {
    for (const char* k : {"a", "b", "c", "d"}) s->put(k, k);
    Batch b;
    b.erase_range("b", "d");
    b.erase_range("z", "a");  // upside down: nothing
    CHECK(s->commit(std::move(b)) == Commit::done);
    CHECK(s->keys_of(everything()) == "a d");
    s->put("c", "again");
    s->reopen();
    CHECK(s->keys_of(everything()) == "a c d");
  }

  SECTION("erase_range takes what was put before it in the same group, not what comes behind") {
    s->put("r1", "old");
    std::vector<Batch> batches(3);
    batches[0].put("r2", "x");
    batches[1].put("r3", "x");
    batches[1].erase_range("r", "s");
    batches[1].put("r3", "again");
    batches[2].put("r1", "new");
    s->commit_all(std::move(batches));
    CHECK(s->keys_of(prefix_range("r")) == "r1 r3");
    CHECK(s->get("r1") == "new");
    CHECK(s->get("r3") == "again");
    s->reopen();
    CHECK(s->keys_of(prefix_range("r")) == "r1 r3");
  }

  SECTION("a snapshot stays as it was made") {
    s->put("a", "1");
    s->put("b", "1");
    auto snapshot = s->store().snapshot();
    s->put("a", "2");
    s->put("c", "2");
    Batch b;
    b.erase("b");
    CHECK(s->commit(std::move(b)) == Commit::done);
    CHECK(s->wait(snapshot->get("a")) == "1");
    CHECK(s->wait(snapshot->get("b")) == "1");
    CHECK(s->wait(snapshot->get("c")) == std::nullopt);
    CHECK(s->wait(snapshot->scan(everything())).size() == 2);
    CHECK(s->get("a") == "2");
    CHECK(s->keys_of(everything()) == "a c");
    snapshot.reset();
    CHECK(s->get("a") == "2");
  }

  SECTION("large values and large batches go through") {
    const std::string large(9 << 20, 'x');  // more than a group and a write buffer
    Batch b;
    b.put("large", large);
    for (int i = 0; i < 2'000; ++i) b.put("row" + std::to_string(i), std::string(500, 'r'));
    CHECK(s->commit(std::move(b)) == Commit::done);
    CHECK(s->get("large") == large);
    s->reopen();
    CHECK(s->get("large") == large);
    Range all = prefix_range("row");
    CHECK(s->scan(all).size() == 1'000);  // the default limit
    all.limit = 10'000;
    CHECK(s->scan(all).size() == 2'000);
    all.max_bytes = 10'000;
    CHECK(s->scan(all).size() == 20);  // the one that passes the bound is the last
  }

  SECTION("what was queued before close() is written, and afterwards everything is refused") {
    std::vector<asio::awaitable<Commit>> waits;
    for (int i = 0; i < 20; ++i) {
      Batch b;
      b.put("k" + std::to_string(i), "v");
      waits.push_back(s->store().commit(std::move(b)));
    }
    s->store().close();
    std::vector<Commit> outcomes;
    s->run(collect(std::move(waits), &outcomes));
    CHECK(outcomes == std::vector<Commit>(20, Commit::done));
    Batch late;
    late.put("late", "v");
    CHECK(code_of([&] { s->commit(std::move(late)); }) == "store.unavailable");
    CHECK(code_of([&] { s->get("k1"); }) == "store.unavailable");
    CHECK(code_of([&] { s->scan(Range()); }) == "store.unavailable");
    s->reopen();
    CHECK(s->scan(prefix_range("k")).size() == 20);
    CHECK(s->get("late") == std::nullopt);
  }

  SECTION("on a full disk commits are refused, reads go on, and it recovers by itself") {
    s->put("a", "1");
    CHECK(s->store().status().accepts_work);
    s->set_disk_full(true);
    Batch refused;
    refused.put("a", "2");
    CHECK(code_of([&] { s->commit(std::move(refused)); }) == "store.disk_full");
    CHECK_FALSE(s->store().status().accepts_work);
    CHECK(s->get("a") == "1");
    s->set_disk_full(false);
    s->put("a", "3");
    CHECK(s->store().status().accepts_work);
    CHECK(s->get("a") == "3");
  }

  SECTION("status tells a size that grows") {
    const auto before = s->store().status().size_bytes;
    s->put("a", std::string(1 << 20, 'x'));
    s->reopen();
    CHECK(s->store().status().size_bytes > before);
  }
}

}  // namespace millrace::state::testing
