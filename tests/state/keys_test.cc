#include "state/keys.h"

#include <fmt/format.h>
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "common/errors.h"

namespace millrace::state::testing {
namespace {

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// 2026-11-24T21:37:51.000123Z
const WallTime kTime = from_micros(1'795'556'271'000'123);

// Which way two values are ordered: -1, 0, 1.
template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::string key_of(std::string_view s) { return KeyBuilder(KeyKind::dedupe).str(s).take(); }

std::string code_of(const std::string& key, void (*read)(KeyReader&)) {
  try {
    KeyReader r(key);
    read(r);
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return "read";
}

}  // namespace

// Stored bytes: a change here is a change of the format.
TEST_CASE("every key is the bytes it always was") {
  using namespace keys;
  // shard 0000, kind, fields; a string ends with 0000
  CHECK(hex(meta("format")) == "000001666f726d61740000");
  CHECK(hex(shard_record()) == "000002");
  CHECK(hex(shard_record(0x1234)) == "123402");
  CHECK(hex(current("wf")) == "00001077660000");
  CHECK(hex(run("r")) == "000011720000");
  CHECK(hex(run_item("r", 3, "s")) == "00001272000003730000");
  CHECK(hex(open_run("r")) == "000013720000");
  CHECK(hex(history("r", 0x0102)) == "0000147200000000000000000102");
  CHECK(hex(immediate_task(7)) == "0000150000000000000007");
  CHECK(hex(timer(kTime, "r", 9)) ==
        "000016"
        "8006610c85b50a3b"
        "720000"
        "0000000000000009");
  CHECK(hex(ready("q", 3, 4, 5)) ==
        "000017"
        "710000"
        "03"
        "0000000000000004"
        "0000000000000005");
  CHECK(hex(outbox(2, 5)) ==
        "000018"
        "0002"
        "0000000000000005");
  CHECK(hex(inbox(2, 5)) ==
        "000019"
        "0002"
        "0000000000000005");
  CHECK(hex(dedupe("start", "id")) ==
        "00001a"
        "7374617274"
        "0000"
        "6964"
        "0000");
  CHECK(hex(attempt("r", 5, 2)) ==
        "00001b"
        "720000"
        "0000000000000005"
        "00000002");
  CHECK(hex(step_checkpoint("r", 5, "split")) ==
        "00001c"
        "720000"
        "0000000000000005"
        "73706c69740000");
  CHECK(hex(blob("r", "h")) ==
        "00001d"
        "720000"
        "680000");
  CHECK(hex(index_by_start(kTime, "r")) ==
        "00001e"
        "7ff99ef37a4af5c4"
        "720000");
  CHECK(hex(index_by_attribute("a", "v", kTime, "r")) ==
        "00001f"
        "610000"
        "760000"
        "7ff99ef37a4af5c4"
        "720000");
  CHECK(hex(keys::log("r", 1)) ==
        "000020"
        "720000"
        "0000000000000001");
  CHECK(hex(resource("source", "i")) ==
        "000040"
        "736f757263650000"
        "690000");
  CHECK(hex(resource_name("source", "n")) ==
        "000041"
        "736f757263650000"
        "6e0000");
  CHECK(hex(revision("source", "i", 2)) ==
        "000042"
        "736f757263650000"
        "690000"
        "0000000000000002");
  CHECK(hex(secret("i")) ==
        "000043"
        "690000");
  CHECK(hex(job(10)) ==
        "000044"
        "000000000000000a");
  CHECK(hex(job_of_connection("c", 10)) ==
        "000045"
        "630000"
        "fffffffffffffff5");
  CHECK(hex(connection_lock("c")) ==
        "000046"
        "630000");
  CHECK(hex(counter("jobs")) ==
        "000047"
        "6a6f62730000");
  CHECK(hex(stream_state("c", "public", "t")) ==
        "000048"
        "630000"
        "7075626c69630000"
        "740000");
  CHECK(hex(schedule("h")) ==
        "00002a"
        "680000");
  CHECK(hex(token("h")) ==
        "000049"
        "680000");
}

TEST_CASE("each prefix holds its keys and no others") {
  using namespace keys;
  const auto within = [](const std::string& key, const std::string& prefix) { return key.starts_with(prefix); };
  CHECK(within(history("run", 9), history_prefix("run")));
  CHECK_FALSE(within(history("run2", 9), history_prefix("run")));
  CHECK(within(attempt("run", 5, 1), attempts_of_step_prefix("run", 5)));
  CHECK_FALSE(within(attempt("run", 6, 1), attempts_of_step_prefix("run", 5)));
  CHECK(within(attempt("run", 6, 1), attempts_of_run_prefix("run")));
  CHECK(within(step_checkpoint("run", 5, "s"), step_checkpoints_prefix("run", 5)));
  CHECK(within(step_checkpoint("run", 5, "s"), step_checkpoints_of_run_prefix("run")));
  CHECK(within(keys::log("run", 5), log_prefix("run")));
  CHECK(within(run_item("run", 1, "x"), run_items_prefix("run")));
  CHECK(within(blob("run", "x"), blobs_prefix("run")));
  CHECK(within(index_by_attribute("a", "v", kTime, "run"), index_by_attribute_prefix("a", "v")));
  CHECK_FALSE(within(index_by_attribute("a", "vv", kTime, "run"), index_by_attribute_prefix("a", "v")));
  CHECK(within(revision("source", "i", 1), revision_prefix("source", "i")));
  CHECK(within(resource("source", "i"), resource_prefix("source")));
  CHECK(within(resource_name("source", "i"), resource_name_prefix("source")));
  CHECK(within(stream_state("c", "n", "t"), stream_state_prefix("c")));
  CHECK(within(job_of_connection("c", 1), job_of_connection_prefix("c")));
  CHECK(within(ready("q", 1, 1, 1), ready_prefix("q")));
}

TEST_CASE("lists come newest first, timers oldest first") {
  using namespace keys;
  const WallTime later = kTime + Duration(1);
  CHECK(index_by_start(later, "a") < index_by_start(kTime, "b"));
  CHECK(index_by_attribute("a", "v", later, "a") < index_by_attribute("a", "v", kTime, "b"));
  CHECK(job_of_connection("c", 11) < job_of_connection("c", 10));
  CHECK(job(10) < job(11));
  CHECK(timer(kTime, "z", 9) < timer(later, "a", 1));
  CHECK(timer(kTime, "z", 9) < timer_bound(later));
  CHECK(timer_bound(later) < timer(later, "", 0));
  CHECK(timer(from_micros(-1), "r", 1) < timer(from_micros(0), "r", 1));  // before 1970
}

TEST_CASE("keys are ordered as what they are made of") {
  REQUIRE(rc::check("strings", [](const std::string& a, const std::string& b) {
    RC_ASSERT(order(key_of(a), key_of(b)) == order(a, b));
  }));
  REQUIRE(rc::check("strings of few bytes, so that prefixes, 00 and ff are common", [] {
    const auto few = rc::gen::container<std::string>(rc::gen::element('\0', '\1', 'a', '\xfe', '\xff'));
    const std::string a = *few, b = *few;
    RC_ASSERT(order(key_of(a), key_of(b)) == order(a, b));
  }));
  REQUIRE(rc::check("what follows a string decides only between equal strings", [] {
    const auto few = rc::gen::container<std::string>(rc::gen::element('\0', 'a', '\xff'));
    const std::string a = *few, b = *few, c = *few, d = *few;
    const auto key = [](const std::string& x, const std::string& y) {
      return KeyBuilder(KeyKind::run).str(x).str(y).take();
    };
    RC_ASSERT(order(key(a, c), key(b, d)) == order(std::make_pair(a, c), std::make_pair(b, d)));
  }));
  REQUIRE(rc::check("numbers", [](std::uint8_t a8, std::uint8_t b8, std::uint16_t a16, std::uint16_t b16,
                                  std::uint32_t a32, std::uint32_t b32, std::uint64_t a64, std::uint64_t b64) {
    const auto key = [](auto a, auto b, auto c, auto d) {
      return KeyBuilder(KeyKind::run).u8(a).u16(b).u32(c).u64(d).take();
    };
    RC_ASSERT(order(key(a8, a16, a32, a64), key(b8, b16, b32, b64)) ==
              order(std::make_tuple(a8, a16, a32, a64), std::make_tuple(b8, b16, b32, b64)));
    RC_ASSERT(order(KeyBuilder(KeyKind::run).inverse_u64(a64).take(),
                    KeyBuilder(KeyKind::run).inverse_u64(b64).take()) == -order(a64, b64));
  }));
  REQUIRE(rc::check("times, also before 1970", [](std::int64_t a, std::int64_t b) {
    const auto key = [](std::int64_t us) { return KeyBuilder(KeyKind::run).time(from_micros(us)).take(); };
    const auto inverse = [](std::int64_t us) { return KeyBuilder(KeyKind::run).inverse_time(from_micros(us)).take(); };
    RC_ASSERT(order(key(a), key(b)) == order(a, b));
    RC_ASSERT(order(inverse(a), inverse(b)) == -order(a, b));
  }));
}

TEST_CASE("a reader gives back what the builder was given") {
  REQUIRE(rc::check([](std::uint16_t shard, std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d,
                       const std::string& s, std::int64_t t) {
    const auto key = KeyBuilder(KeyKind::ready, shard)
                         .u8(a)
                         .str(s)
                         .u16(b)
                         .u32(c)
                         .inverse_time(from_micros(t))
                         .str("")
                         .u64(d)
                         .inverse_u64(d)
                         .time(from_micros(t))
                         .take();
    KeyReader r(key);
    RC_ASSERT(r.shard() == shard);
    RC_ASSERT(r.kind() == KeyKind::ready);
    RC_ASSERT(r.u8() == a);
    RC_ASSERT(r.str() == s);
    RC_ASSERT(r.u16() == b);
    RC_ASSERT(r.u32() == c);
    RC_ASSERT(to_micros(r.inverse_time()) == t);
    RC_ASSERT(r.str().empty());
    RC_ASSERT(r.u64() == d);
    RC_ASSERT(r.inverse_u64() == d);
    RC_ASSERT(to_micros(r.time()) == t);
    RC_ASSERT(r.at_end());
  }));
}

TEST_CASE("bytes that are no key are damage, not a crash") {
  CHECK(code_of("", [](KeyReader&) {}) == "store.corrupt");
  CHECK(code_of(std::string("\0\0", 2), [](KeyReader&) {}) == "store.corrupt");
  CHECK(code_of(keys::shard_record(), [](KeyReader& r) { r.u64(); }) == "store.corrupt");
  CHECK(code_of(keys::run("r").substr(0, 4), [](KeyReader& r) { r.str(); }) == "store.corrupt");
  CHECK(code_of(std::string("\0\0\x11r\0x", 6), [](KeyReader& r) { r.str(); }) == "store.corrupt");
  REQUIRE(rc::check([](const std::string& bytes) {
    try {
      KeyReader r(bytes);
      while (!r.at_end()) r.str();
    } catch (const Error& e) {
      RC_ASSERT(e.code() == "store.corrupt");
    }
  }));
}

}  // namespace millrace::state::testing
