// From what libpq or a server says to a code of the error catalogue.
//
// Two phases differ: while connecting, the same SQLSTATE means something else to a person (28000 is pg_hba.conf, 3D000
// a wrong database), and failures without SQLSTATE (sockets, TLS) are told apart by libpq's English texts, which do not
// change with the locale since this program never calls setlocale().
#pragma once

#include <string>
#include <string_view>

#include "net/postgres.h"

namespace millrace::net {

// Code for a failure of an established session. `sqlstate` may be empty: then the connection is gone.
std::string_view code_of_sqlstate(std::string_view sqlstate);

// `message` is PQerrorMessage() of a connection with PQERRORS_VERBOSE: "... FATAL:  28P01: text\nLOCATION: ...".
PostgresError connect_error(std::string message, std::string_view sslmode);

// An error of a statement, from the fields of an ErrorResponse (any may be empty).
PostgresError statement_error(std::string_view sqlstate, std::string_view message, std::string_view detail,
                              std::string_view hint);

PostgresError connection_lost(std::string detail);

}  // namespace millrace::net
