// How a stream of an SQLite file is read: in ranges of its key, and from where by its cursor. Blocking.
#pragma once

#include "connectors/source.h"
#include "connectors/sqlite/database.h"

namespace millrace::connectors::sqlite {

SplitPlan plan_read(Database& db, const ConfiguredStream& stream, const PlanOptions& options);

}  // namespace millrace::connectors::sqlite
