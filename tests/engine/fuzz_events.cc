// libFuzzer over the decoder of history batches: any bytes are decoded or refused with an Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/errors.h"
#include "engine/events/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  // The checksum is put right, so that the fields behind it are reached.
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.size() >= 5) {
    const std::uint32_t crc = engine::crc32c(std::string_view(bytes).substr(5));
    for (int i = 0; i < 4; ++i) bytes[1 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
  }
  try {
    for (const auto& event : engine::decode_events(bytes)) (void)engine::view_of(event);
  } catch (const Error&) {
  }
  return 0;
}
