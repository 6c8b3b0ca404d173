// SPDX-License-Identifier: BSD-3-Clause
#include "server/net/listener.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ouro {
namespace {

// This machine has no such address or protocol: no failure of a bind that may be missing.
bool is_missing_here(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPFNOSUPPORT ||
         error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT || error == ENOPROTOOPT;
}

}  // namespace

Listener::Listener(Loop& loop, Logger& log, AcceptSink& sink)
    : loop_(loop),
      log_(log),
      sink_(sink),
      accepting_(this, op_to<&Listener::on_accepted>()),
      closing_op_(this, op_to<&Listener::on_closed>()),
      pause_(this, timer_to<&Listener::on_pause_over>()) {}

Listener::~Listener() { CHECK(is_idle()); }

int Listener::open(const Address& address, const ListenOptions& options) {
  CHECK(is_idle());
  const ListenOutcome outcome = loop_.listen(address, options);
  if (outcome.error != 0) return outcome.error;
  fd_ = outcome.fd;
  address_ = outcome.bound;
  unix_path_ = address.is_unix() ? address.host() : std::string();
  closing_ = false;
  loop_.accept(accepting_, fd_);
  return 0;
}

void Listener::tune(const SocketTuning& tuning) {
  if (fd_.is_open()) loop_.tune({fd_.number}, tuning);
}

void Listener::set_port_use(PortUse use) {
  if (fd_.is_open() && !address_.is_unix()) loop_.set_port_use(fd_, use);
}

void Listener::close() {
  if (!fd_.is_open() || closing_) return;
  closing_ = true;
  // Another may follow it before the system has closed it.
  set_port_use(PortUse::kShared);
  loop_.cancel_timer(pause_);
  loop_.cancel(accepting_);
  if (!accepting_.busy()) loop_.close(closing_op_, fd_);
}

void Listener::on_accepted(const Outcome& outcome) {
  if (!fd_.is_open()) return;  // the end of on_closed()'s unlink
  if (outcome.result >= 0) {
    const SocketFd accepted{outcome.result};
    if (closing_) {
      loop_.refuse(accepted, {});
    } else {
      sink_.on_accepted(accepted, *this);
    }
    return;
  }
  if (closing_) return loop_.close(closing_op_, fd_);
  log_.print(LogLevel::kWarning, "Accepting on %s failed, pausing: %s", address_.text().c_str(),
             strerrordesc_np(-outcome.result));
  loop_.set_timer(pause_, loop_.now() + kAcceptPause);
}

void Listener::on_pause_over() { loop_.accept(accepting_, fd_); }

void Listener::on_closed(const Outcome&) {
  fd_ = {};
  // The loop has no unlink without an operation, and this one has just ended.
  if (!unix_path_.empty()) loop_.unlink(accepting_, unix_path_.c_str());
}

const Listener* Listeners::find_open(const Address& address) const {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& listener) {
    return listener->address() == address;
  });
  return found == open_.end() ? nullptr : found->get();
}

// Opens one address, unless it is open. Port 0 becomes the port that was found.
int Listeners::plan_address(const std::string& host, const ListenOptions& options, Plan& plan) {
  const std::vector<Address> found = resolve_blocking(host, plan.port);
  if (found.empty()) return EADDRNOTAVAIL;
  if (const Listener* open = find_open(found.front())) {
    plan.kept.push_back(open);
    return 0;
  }
  auto listener = std::make_unique<Listener>(loop_, log_, sink_);
  if (const int error = open_at_last(*listener, found.front(), options); error != 0) return error;
  plan.port = listener->address().port();
  plan.opened.push_back(std::move(listener));
  return 0;
}

// Only who serves nobody yet may stand still.
int Listeners::open_at_last(Listener& listener, const Address& address,
                            const ListenOptions& options) {
  int error = listener.open(address, options);
  if (error != EADDRINUSE || !open_.empty() || !closing_.empty()) return error;
  log_.print(LogLevel::kNotice, "%s is taken, trying again for %lld ms", address.text().c_str(),
             static_cast<long long>(kTakenWait / 1000));
  for (Micros waited = 0; error == EADDRINUSE && waited < kTakenWait; waited += kTakenPause) {
    loop_.stand_still(kTakenPause);
    error = listener.open(address, options);
  }
  return error;
}

int Listeners::plan_tcp(const Tcp& tcp, const ListenOptions& options, Plan& plan,
                        std::string& failed) {
  for (ByteView bind : tcp.binds) {
    const bool may_be_missing = !bind.empty() && bind.front() == '-';
    if (may_be_missing) bind.remove_prefix(1);
    const int error = plan_address(std::string(bind), options, plan);
    failed = bind;
    if (error != 0 && !(may_be_missing && is_missing_here(error))) return error;
  }
  const bool has_none = plan.opened.empty() && plan.kept.empty() && !tcp.binds.empty();
  return has_none ? EADDRNOTAVAIL : 0;
}

int Listeners::open_tcp(const Tcp& tcp, const ListenOptions& options, std::string& failed) {
  Plan plan{.opened = {}, .kept = {}, .port = tcp.port};
  // New addresses may overlap with those that they replace.
  ListenOptions beside = options;
  beside.shares_port = holds_port(tcp.port);
  if (beside.shares_port) set_port_use(PortUse::kShared);
  const int error = plan_tcp(tcp, beside, plan, failed);
  if (error == 0) {
    plan.opened.swap(open_);
    // What was open before: unix sockets stay, too.
    for (auto& listener : plan.opened) {
      const bool stays =
          listener->address().is_unix() ||
          std::find(plan.kept.begin(), plan.kept.end(), listener.get()) != plan.kept.end();
      if (stays) open_.push_back(std::move(listener));
    }
  }
  for (auto& listener : plan.opened) {
    if (listener != nullptr) close(std::move(listener));
  }
  if (beside.shares_port) set_port_use(PortUse::kOwn);
  forget_idle();
  return error;
}

// Also if it is only about to be closed.
bool Listeners::holds_port(uint16_t port) const noexcept {
  const auto has = [port](const auto& listener) {
    return !listener->is_idle() && !listener->address().is_unix() &&
           listener->address().port() == port;
  };
  return std::any_of(open_.begin(), open_.end(), has) ||
         std::any_of(closing_.begin(), closing_.end(), has);
}

void Listeners::set_port_use(PortUse use) {
  for (auto& listener : open_) listener->set_port_use(use);
}

void Listeners::close(std::unique_ptr<Listener> listener) {
  listener->close();
  closing_.push_back(std::move(listener));
}

int Listeners::open_unix(ByteView path, const ListenOptions& options) {
  const auto address = Address::from_unix(path);
  if (!address) return ENAMETOOLONG;
  auto listener = std::make_unique<Listener>(loop_, log_, sink_);
  const int error = listener->open(*address, options);
  if (error == 0) open_.push_back(std::move(listener));
  return error;
}

void Listeners::close_all() {
  forget_idle();
  for (auto& listener : open_) close(std::move(listener));
  open_.clear();
}

void Listeners::tune(const SocketTuning& tuning) {
  for (auto& listener : open_) listener->tune(tuning);
}

void Listeners::forget_idle() {
  std::erase_if(closing_, [](const auto& listener) { return listener->is_idle(); });
}

bool Listeners::is_idle() const noexcept {
  return open_.empty() && std::all_of(closing_.begin(), closing_.end(),
                                      [](const auto& listener) { return listener->is_idle(); });
}

uint16_t Listeners::port() const noexcept {
  for (const auto& listener : open_) {
    if (!listener->address().is_unix()) return listener->address().port();
  }
  return 0;
}

}  // namespace ouro
