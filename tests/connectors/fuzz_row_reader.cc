// libFuzzer target: meson setup -Dfuzz=true with clang, then meson test fuzz_row_reader.
#include "tests/connectors/row_reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  millrace::test::check_row_reader({reinterpret_cast<const char*>(data), size});
  return 0;
}
