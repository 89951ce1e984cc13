// Indexes and triggers of a table. They follow it when it is renamed, so where another table takes its place they are
// dropped and made again on that one. Inside a transaction.
#pragma once

#include <string>
#include <vector>

#include "connectors/sqlite/database.h"

namespace millrace::connectors::sqlite {

struct Dependant {
  std::string type, name, sql;
};
std::vector<Dependant> take_dependants(Database& db, const std::string& table);
// What can't be made is told in `notes`.
void give_dependants(Database& db, const std::vector<Dependant>& dependants, std::vector<std::string>& notes);

}  // namespace millrace::connectors::sqlite
