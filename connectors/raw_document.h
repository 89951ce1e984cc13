// Raw landing: each row as one JSON document, typed later at the destination.
//
// Numbers and booleans are JSON's own (NaN and infinities are strings), JSON values are nested as they are, all else is
// the text of value_text.h; a field that is null is null.
#pragma once

#include <memory>
#include <vector>

#include "connectors/row_batch.h"
#include "connectors/schema.h"

namespace millrace::connectors {

inline constexpr const char* kDataField = "_data";

// What a raw table has: one field _data (jsonb).
SchemaPtr raw_schema();

// The rows of `batch` as documents, in `out`'s memory. Throws connector.bad_row for a value whose text is not known
// (has_text()): such fields have to come as text.
RowBatch raw_documents(const RowBatch& batch, std::vector<char> out);

}  // namespace millrace::connectors
