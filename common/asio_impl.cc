// The bodies of Asio, its TLS part and Beast, compiled once for the whole program (see meson.build).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
