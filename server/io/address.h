// SPDX-License-Identifier: BSD-3-Clause
// Address: where a socket listens or whom it talks to: IPv4, IPv6 or a unix socket's path.
//
// Plain bytes of a sockaddr, so that it may be copied and handed to a Loop; nothing here does I/O,
// except resolve_blocking().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

class Address {
 public:
  // No address: text() is "?:0".
  Address() noexcept = default;
  // `host` is a numeric IPv4 or IPv6 address, "*" (any IPv4) or "::*" (any IPv6); brackets around
  // IPv6 are accepted.
  static std::optional<Address> from_ip(ByteView host, uint16_t port);
  // A path of at most 107 bytes.
  static std::optional<Address> from_unix(ByteView path);
  // "127.0.0.1:6379", "[::1]:6379", or a path that starts with '/'.
  static std::optional<Address> parse(ByteView text);
  // From a sockaddr of `size` bytes.
  static Address from_raw(const void* raw, size_t size);

  bool is_known() const noexcept { return size_ != 0; }
  bool is_unix() const noexcept;
  bool is_ip6() const noexcept;
  // A unix socket counts as loopback: its peer is on this machine.
  bool is_loopback() const noexcept;
  // 0 for a unix socket.
  uint16_t port() const noexcept;
  // Without the port and without brackets; the path of a unix socket (empty for an unnamed peer).
  std::string host() const;
  // As CLIENT LIST shows it: "127.0.0.1:6379", "[::1]:6379", "/run/ouro.sock:0".
  std::string text() const;

  const void* raw() const noexcept { return bytes_; }
  uint32_t size_bytes() const noexcept { return size_; }
  friend bool operator==(const Address& a, const Address& b) noexcept;

 private:
  alignas(8) char bytes_[112] = {};
  uint32_t size_ = 0;
};

// Looks a host name up; blocks, so it is for start-up and helper threads. Empty when the name is
// unknown.
std::vector<Address> resolve_blocking(const std::string& host, uint16_t port);

}  // namespace ouro
