// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/options.h"

#include <array>

namespace ouro {
namespace {

using A = AppOptions;
using K = OptionKind;

constexpr std::array<std::string_view, 4> kLogLevelNames = {"debug", "verbose", "notice",
                                                            "warning"};
static_assert(kLogLevelNames.size() == static_cast<size_t>(LogLevel::kWarning) + 1);
constexpr std::array<std::string_view, 3> kIoBackendNames = {"auto", "uring", "epoll"};

bool check_bind(Words words, OptionValue& value, std::string& error) {
  constexpr size_t kAddressesMax = 16;
  if (words.size() > kAddressesMax) {
    error = "Too many bind addresses specified.";
    return false;
  }
  value.text.clear();
  for (const ByteView word : words) {
    if (!word.empty()) value.text.append(value.text.empty() ? "" : " ").append(word);
  }
  return true;
}

constexpr OptionFlag kImmutable = OptionFlag::kImmutable;

constexpr OptionRow kRows[] = {
    {.name = "bind",
     .kind = K::kWords,
     .standard = "* -::*",
     .field = option_field<&A::bind>(),
     .check = check_bind,
     .doc = "Addresses to listen on; one with a '-' in front may be missing."},
    {.name = "daemonize",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .field = option_field<&A::daemonize>(),
     .doc = "Go on in the background."},
    {.name = "dir",
     .flags = OptionFlag::kProtected,
     .standard = ".",
     .field = option_field<&A::dir>(),
     .doc = "The directory to work in."},
    {.name = "io-backend",
     .kind = K::kEnum,
     // Hidden: tools that set all they got from CONFIG GET * know Redis's immutable parameters
     // only.
     .flags = kImmutable | OptionFlag::kHidden,
     .standard = "auto",
     .names = kIoBackendNames,
     .field = option_field<&A::io_backend>(),
     .doc = "How to talk to the kernel; auto takes io_uring where it is allowed."},
    {.name = "logfile",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::logfile>(),
     .doc = "Where the log goes; standard output if empty."},
    {.name = "loglevel",
     .kind = K::kEnum,
     .standard = "notice",
     .names = kLogLevelNames,
     .field = option_field<&A::loglevel>(),
     .doc = "The least important lines that are logged."},
    {.name = "pidfile",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::pidfile>(),
     .doc = "A file that holds the process id while the server runs."},
    {.name = "port",
     .kind = K::kInteger,
     .standard = "6379",
     .most = 65535,
     .field = option_field<&A::port>(),
     .doc = "The TCP port; 0 is none."},
    {.name = "protected-mode",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::protected_mode>(),
     .doc = "Without a password, serve this machine only."},
    {.name = "tcp-backlog",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "511",
     .most = INT32_MAX,
     .field = option_field<&A::tcp_backlog>(),
     .doc = "Connections that may wait to be accepted."},
    {.name = "tcp-keepalive",
     .kind = K::kInteger,
     .standard = "300",
     .most = INT32_MAX,
     .field = option_field<&A::tcp_keepalive>(),
     .doc = "Seconds of silence after which a peer is probed; 0 is never."},
    {.name = "unixsocket",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::unixsocket>(),
     .doc = "The path of a unix socket to listen on; none if empty."},
    {.name = "unixsocketperm",
     .kind = K::kOctal,
     .flags = kImmutable,
     .standard = "0",
     .most = 0777,
     .field = option_field<&A::unixsocketperm>(),
     .doc = "The permissions of the unix socket."},
};

}  // namespace

constinit const std::span<const OptionRow> kAppOptions = kRows;

Config make_config(Options& options) {
  return Config{Config::Part{kEngineOptions, &options.engine},
                Config::Part{kAppOptions, &options.app}, Config::Part{kLaterOptions, nullptr}};
}

}  // namespace ouro
