// The claim that both the property test and the fuzz target hold RowReader to: whatever the bytes are, it gives fields
// that lie inside them, in order, or throws connector.bad_row; and what it gave writes back as the same bytes.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "common/errors.h"
#include "connectors/row_batch.h"

namespace millrace::test {

inline void check_row_reader(std::string_view bytes) {
  using namespace connectors;
  const auto batch = RowBatch::of_tuples(nullptr, std::vector<char>(bytes.begin(), bytes.end()), 0);
  RowReader reader(batch);
  std::vector<RowReader::FieldView> fields;
  std::string again;
  try {
    while (reader.next(fields)) {
      append_big_endian(again, static_cast<std::int16_t>(fields.size()));
      for (const auto& f : fields) {
        append_big_endian(again, f.length);
        again.append(f.bytes);
      }
      if (again.size() > bytes.size()) std::abort();
    }
    if (again != bytes) std::abort();
  } catch (const Error& e) {
    if (e.code() != "connector.bad_row" || bytes.substr(0, again.size()) != again) std::abort();
  }
}

}  // namespace millrace::test
