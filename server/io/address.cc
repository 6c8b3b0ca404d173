// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

template <class T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

sa_family_t family(const char* bytes) { return load<sockaddr>(bytes).sa_family; }

}  // namespace

static_assert(sizeof(sockaddr_un) <= 112);

Address Address::from_raw(const void* raw, size_t size) {
  Address address;
  CHECK(size <= sizeof address.bytes_);
  std::memcpy(address.bytes_, raw, size);
  address.size_ = static_cast<uint32_t>(size);
  return address;
}

std::optional<Address> Address::from_ip(ByteView host, uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "*") host = "0.0.0.0";
  if (host == "::*") host = "::";
  const std::string text(host);
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return from_raw(&v4, sizeof v4);
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return from_raw(&v6, sizeof v6);
  }
  return std::nullopt;
}

std::optional<Address> Address::from_unix(ByteView path) {
  sockaddr_un un{};
  if (path.empty() || path.size() >= sizeof un.sun_path) return std::nullopt;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  return from_raw(&un, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

std::optional<Address> Address::parse(ByteView text) {
  if (!text.empty() && text.front() == '/') return from_unix(text);
  const size_t colon = text.rfind(':');
  if (colon == ByteView::npos) return std::nullopt;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return from_ip(text.substr(0, colon), port);
}

bool Address::is_unix() const noexcept { return size_ != 0 && family(bytes_) == AF_UNIX; }
bool Address::is_ip6() const noexcept { return size_ != 0 && family(bytes_) == AF_INET6; }

bool Address::is_loopback() const noexcept {
  if (size_ == 0) return false;
  if (is_unix()) return true;
  if (is_ip6()) {
    const auto v6 = load<sockaddr_in6>(bytes_);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return v6.sin6_addr.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
  }
  return ntohl(load<sockaddr_in>(bytes_).sin_addr.s_addr) >> 24 == 127;
}

uint16_t Address::port() const noexcept {
  if (size_ == 0 || is_unix()) return 0;
  return ntohs(is_ip6() ? load<sockaddr_in6>(bytes_).sin6_port
                        : load<sockaddr_in>(bytes_).sin_port);
}

std::string Address::host() const {
  if (size_ == 0) return "?";
  if (is_unix()) {
    const char* path = bytes_ + offsetof(sockaddr_un, sun_path);
    const size_t room = size_ - offsetof(sockaddr_un, sun_path);
    return {path, strnlen(path, room)};
  }
  char text[INET6_ADDRSTRLEN] = "?";
  if (is_ip6()) {
    const auto v6 = load<sockaddr_in6>(bytes_);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  } else {
    const auto v4 = load<sockaddr_in>(bytes_);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  }
  return text;
}

std::string Address::text() const {
  std::string text = host();
  if (is_ip6()) text = "[" + text + "]";
  return text + ":" + std::to_string(port());
}

bool operator==(const Address& a, const Address& b) noexcept {
  return a.size_ == b.size_ && std::memcmp(a.bytes_, b.bytes_, a.size_) == 0;
}

std::vector<Address> resolve_blocking(const std::string& host, uint16_t port) {
  if (const auto numeric = Address::from_ip(host, port)) return {*numeric};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<Address> addresses;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    addresses.push_back(Address::from_raw(each->ai_addr, each->ai_addrlen));
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace ouro
