// Transports over TCP, plain and TLS.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "api/connection.h"

namespace boost::asio::ssl {
class context;
}

namespace millrace::api {

// `tls` null: plain. The context must outlive the transport. Sets TCP_NODELAY.
std::shared_ptr<Transport> make_transport(asio::ip::tcp::socket socket, asio::ssl::context* tls);
// Throws server.tls_unusable.
std::shared_ptr<asio::ssl::context> make_tls_context(const std::string& cert_file, const std::string& key_file);

}  // namespace millrace::api
