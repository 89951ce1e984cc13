// incremental_deduped_history beside psql: COPY binary into a staging table, then MERGE by key and cursor.
#include "bench/modes/bench_modes.h"

int main(int argc, char** argv) {
  millrace::bench::ModeCase mode;
  mode.name = "dedupe";
  mode.sync_mode = "incremental_deduped_history";
  mode.prepare = "drop table if exists stage; create table stage (like orders)";
  mode.native =
      "%PSQL% -c 'copy (select * from orders where u >= %SINCE%) to stdout (format binary)' from_db | "
      "%PSQL% -c 'copy stage from stdin (format binary)' to_native && %PSQL% -c '"
      "analyze stage; merge into orders o using stage s on o.id = s.id "
      "when matched and s.u >= o.u then update set customer = s.customer, status = s.status, amount = s.amount, "
      "quantity = s.quantity, price = s.price, created = s.created, note = s.note, flags = s.flags, u = s.u "
      "when not matched then insert values (s.id, s.customer, s.status, s.amount, s.quantity, s.price, s.created, "
      "s.note, s.flags, s.u)' to_native";
  return millrace::bench::bench_mode(mode, argc, argv);
}
