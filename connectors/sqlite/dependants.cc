#include "connectors/sqlite/dependants.h"

#include "common/errors.h"

namespace millrace::connectors::sqlite {

std::vector<Dependant> take_dependants(Database& db, const std::string& table) {
  std::vector<Dependant> out;
  Statement s = db.prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') "
      "AND "
      "sql IS NOT NULL ORDER BY type, name");
  s.bind(1, table);
  while (s.step()) out.push_back({s.text(0), s.text(1), s.text(2)});
  s = Statement();
  for (const auto& d : out) db.execute("DROP " + d.type + " " + quote_name(d.name));
  return out;
}

void give_dependants(Database& db, const std::vector<Dependant>& dependants, std::vector<std::string>& notes) {
  for (const auto& d : dependants) {
    db.execute("SAVEPOINT millrace_try");
    try {
      db.execute(d.sql);
      db.execute("RELEASE millrace_try");
    } catch (const Error& e) {
      db.execute("ROLLBACK TO millrace_try; RELEASE millrace_try");
      notes.push_back(d.type + " " + d.name + " was not re-created: " + e.detail());
    }
  }
}

}  // namespace millrace::connectors::sqlite
