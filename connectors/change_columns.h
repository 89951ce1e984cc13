// The columns that following a log adds to a table at the destination.
//
// A log of changes (incremental_append): _op, _lsn, _seq, _committed_at, _unchanged. A table of rows
// (incremental_deduped_history): _lsn, and with soft deletes _deleted_at. They travel as the last fields of the schema
// of a load, marked so that a source knows that its table has no such columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/schema.h"

namespace millrace::connectors {

inline constexpr std::string_view kChangeOp = "_op";              // c u d t r
inline constexpr std::string_view kChangeLsn = "_lsn";            // of the commit; of a loaded row: before it was read
inline constexpr std::string_view kChangeSeq = "_seq";            // in the transaction, from 1; 0 of a loaded row
inline constexpr std::string_view kChangeTime = "_committed_at";  // of a loaded row: when it was read
// Names of columns that the update left alone and whose value the log did not hold: they are null in this row.
inline constexpr std::string_view kChangeUnchanged = "_unchanged";
inline constexpr std::string_view kDeletedAt = "_deleted_at";

// `schema` with the columns of the mode behind its own.
Schema with_change_columns(Schema schema, SyncMode mode, bool soft_delete);
bool is_change_column(const Field& field);

// Appends `tail` (`fields` fields, each with its length) to every tuple of `tuples` and corrects the field counts.
// Throws connector.bad_row.
void widen_tuples(std::string_view tuples, std::uint32_t rows, std::string_view tail, int fields,
                  std::vector<char>& out);

}  // namespace millrace::connectors
