// What every Store must do, as one suite: each implementation's test makes a Subject and calls store_conformance() from
// inside a TEST_CASE.
//
// All checks run on the test's own thread: wait() runs a coroutine to its end and hands its result back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "state/store.h"

namespace millrace::state::testing {

struct Subject {
  virtual ~Subject() = default;
  // Runs `main` to its end on the subject's runtime; throws what it throws.
  virtual void run(asio::awaitable<void> main) = 0;
  virtual Store& store() = 0;
  // Closes the store and opens it again from what is durable.
  virtual void reopen() = 0;
  // As if the disk were filled up, or cleared again.
  virtual void set_disk_full(bool full) = 0;

  template <class T>
  T wait(asio::awaitable<T> work) {
    std::optional<T> result;
    run(keep(std::move(work), &result));
    return std::move(*result);
  }

  std::optional<std::string> get(std::string key) { return wait(store().get(std::move(key))); }
  std::vector<KeyValue> scan(Range range) { return wait(store().scan(std::move(range))); }
  Commit commit(Batch batch) { return wait(store().commit(std::move(batch))); }
  void put(std::string key, std::string value);
  // Calls commit() for all before it waits for any.
  std::vector<Commit> commit_all(std::vector<Batch> batches);
  // Keys of a scan, joined by spaces.
  std::string keys_of(Range range);

 private:
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>* result) {
    *result = co_await std::move(work);
  }
};

using MakeSubject = std::function<std::unique_ptr<Subject>()>;
void store_conformance(const MakeSubject& make);

}  // namespace millrace::state::testing
