// incremental_append beside `psql COPY binary | psql COPY binary` of the same rows.
#include "bench/modes/bench_modes.h"

int main(int argc, char** argv) {
  millrace::bench::ModeCase mode;
  mode.name = "append";
  mode.sync_mode = "incremental_append";
  mode.native =
      "%PSQL% -c 'copy (select * from orders where u >= %SINCE%) to stdout (format binary)' from_db | "
      "%PSQL% -c 'copy orders from stdin (format binary)' to_native";
  return millrace::bench::bench_mode(mode, argc, argv);
}
