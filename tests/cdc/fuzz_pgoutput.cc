// libFuzzer target: meson setup -Dfuzz=true with clang, then meson test fuzz_pgoutput. The input is a row of messages,
// each with its length in two bytes before it, so that what one leaves behind meets the next.
#include "cdc/pgoutput.h"
#include "common/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.empty()) return 0;
  millrace::cdc::PgOutputDecoder decoder((rest.front() & 1) != 0);
  rest.remove_prefix(1);
  millrace::cdc::PgMessage message;
  while (rest.size() >= 2) {
    const auto length =
        static_cast<std::size_t>(static_cast<unsigned char>(rest[0]) * 256 + static_cast<unsigned char>(rest[1]));
    rest.remove_prefix(2);
    const auto payload = rest.substr(0, length);
    rest.remove_prefix(payload.size());
    try {
      decoder.decode(payload, message);
    } catch (const millrace::Error&) {
      continue;
    }
    if (millrace::cdc::describe(message).empty()) __builtin_trap();
  }
  return 0;
}
