// Short names for streams, for helper objects of destinations.
#pragma once

#include <string>

#include "connectors/destination.h"

namespace millrace::connectors {

// 16 hexadecimal digits that stand for a stream of a connection, and for one generation of it.
std::string hash_of_stream(const StreamTarget& target);
std::string hash_of_generation(const StreamTarget& target);

}  // namespace millrace::connectors
