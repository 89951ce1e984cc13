// The rows of the datagen source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/row_batch.h"

namespace millrace::connectors::datagen {

// The kinds of columns there are, and the field of each.
const std::vector<std::string>& column_kinds();
Field column_field(const std::string& kind);

// Appends row `number` (from 1) to the batch: `id`, one field for each kind, `payload`, of these only the fields in
// `names`.
void append_row(RowBatch& batch, const std::vector<std::string>& kinds, const Schema& schema, std::uint64_t seed,
                std::int64_t number, std::int64_t row_bytes);

}  // namespace millrace::connectors::datagen
