// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/io/epoll_loop.h"
#include "server/io/uring_loop.h"

namespace ouro {
namespace {

// One byte through a pair of sockets, received by a multishot operation that is then cancelled.
class Trial {
 public:
  explicit Trial(UringLoop& loop) : loop_(loop) {}

  // Empty if all went well.
  std::string run() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return std::string("socketpair: ") + strerrordesc_np(errno);
    }
    constexpr ByteView kByte = "x";
    const int32_t sent = loop_.send(sending_, {pair[0]}, {&kByte, 1}, SendEnd::kPrompt);
    CHECK(sent == kInFlight);
    loop_.receive(receiving_, {pair[1]});
    for (int i = 0; i < kTurnsMax && receiving_.busy() && got_ == 0; ++i)
      loop_.run_once(kTurnMillis);
    loop_.cancel(receiving_);
    while (receiving_.busy() || sending_.busy()) loop_.run_once(kTurnMillis);
    ::close(pair[0]);
    ::close(pair[1]);
    if (got_ == 1 && last_ == -ECANCELED) return {};
    return std::string("multishot receive (needs Linux 6.0): ") +
           (last_ < 0 ? strerrordesc_np(-last_) : "no data came");
  }

 private:
  static constexpr int kTurnsMax = 20;
  static constexpr Millis kTurnMillis = 50;

  void on_received(const Outcome& outcome) {
    got_ += outcome.bytes.size();
    last_ = outcome.result;
  }
  void on_sent(const Outcome&) {}

  UringLoop& loop_;
  Op receiving_{this, op_to<&Trial::on_received>()};
  Op sending_{this, op_to<&Trial::on_sent>()};
  size_t got_ = 0;
  int32_t last_ = 0;
};

ProbedLoop make_uring() {
  std::string why_not;
  auto loop = UringLoop::create({}, why_not);
  if (loop != nullptr) why_not = Trial(*loop).run();
  if (!why_not.empty()) return {nullptr, "io_uring is not usable: " + why_not};
  std::string words = "io_uring, with ";
  words += loop->uring().is_incremental() ? "incremental" : "whole";
  words += " buffers";
  return {std::move(loop), std::move(words)};
}

ProbedLoop make_epoll() {
  std::string why_not;
  auto loop = EpollLoop::create(why_not);
  if (loop == nullptr) return {nullptr, why_not};
  return {std::move(loop), "epoll"};
}

}  // namespace

std::optional<IoBackend> io_backend_from(ByteView name) {
  if (name == "auto") return IoBackend::kAuto;
  if (name == "uring" || name == "io_uring") return IoBackend::kUring;
  if (name == "epoll") return IoBackend::kEpoll;
  return std::nullopt;
}

ProbedLoop make_loop(IoBackend wanted) {
  if (wanted == IoBackend::kEpoll) {
    ProbedLoop made = make_epoll();
    if (made.loop != nullptr) made.words += ", as configured";
    return made;
  }
  ProbedLoop uring = make_uring();
  if (uring.loop != nullptr || wanted == IoBackend::kUring) return uring;
  ProbedLoop epoll = make_epoll();
  epoll.words =
      epoll.loop != nullptr ? "epoll, since " + uring.words : uring.words + "; " + epoll.words;
  return epoll;
}

}  // namespace ouro
