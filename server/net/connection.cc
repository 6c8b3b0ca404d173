// SPDX-License-Identifier: BSD-3-Clause
#include "server/net/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ouro {
namespace {

// What one send takes from out(), rounded up to a view. More only fills the socket's buffer, which
// is smaller.
constexpr size_t kSendBytesMax = 1_MiB;

ByteView words_for(int32_t result) {
  const char* const words = strerrordesc_np(-result);
  return words != nullptr ? words : "unknown error";
}

}  // namespace

Connection::Connection(Loop& loop, FlushList& flush_list, SocketFd fd, Endpoint& endpoint,
                       ConnectionOwner& owner)
    : loop_(loop),
      flush_list_(flush_list),
      endpoint_(endpoint),
      owner_(owner),
      receiving_(this, op_to<&Connection::on_received>()),
      sending_(this, op_to<&Connection::on_sent>()),
      fd_(fd) {
  receive_more();
}

Connection::~Connection() {
  CHECK(state_ == State::kIdle);
  CHECK(!is_linked());
}

std::string Connection::local_text() const { return loop_.local_address(fd_).text(); }

void Connection::receive_more() {
  if (state_ != State::kOpen || receiving_.busy()) return;
  if (endpoint_.state() != EndpointState::kOpen) return;
  const std::span<char> room = endpoint_.want();
  filling_ = room.size() >= kFillBytesMin;
  if (filling_) {
    loop_.receive_into(receiving_, fd_, room);
  } else {
    loop_.receive(receiving_, fd_);
  }
}

void Connection::on_received(const Outcome& outcome) {
  if (state_ == State::kClosing) return close_when_unused();
  if (outcome.result > 0) {
    if (filling_ && state_ == State::kOpen) {
      flush_list_.totals.input_bytes += static_cast<uint64_t>(outcome.result);
      ++flush_list_.totals.inputs;
      endpoint_.on_filled(static_cast<size_t>(outcome.result));
      after_input();
    } else if (!filling_) {
      feed(outcome.bytes);
    }
    return receive_more();
  }
  if (outcome.result == -ECANCELED) return receive_more();
  if (outcome.result < 0) return close(words_for(outcome.result));
  // The peer sends no more but may still read: what it asked for before is answered first.
  if (state_ == State::kOpen) state_ = State::kDraining;
  touch();
}

void Connection::feed(ByteView bytes) {
  if (state_ != State::kOpen) {
    // Nobody reads this, and the peer should feel that.
    return loop_.cancel(receiving_);
  }
  flush_list_.totals.input_bytes += bytes.size();
  ++flush_list_.totals.inputs;
  while (!bytes.empty()) {
    const std::span<char> room = endpoint_.want();
    if (room.empty()) {
      endpoint_.on_bytes(bytes);
      break;
    }
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    endpoint_.on_filled(count);
  }
  after_input();
}

void Connection::after_input() {
  touch();
  switch (endpoint_.state()) {
    case EndpointState::kOpen:
      if (receiving_.busy() && endpoint_.want().size() >= kFillBytesMin) loop_.cancel(receiving_);
      return;
    case EndpointState::kNotReading:
      loop_.cancel(receiving_);
      return;
    case EndpointState::kFinishing:
      state_ = State::kDraining;
      return;
    case EndpointState::kDoomed:
      // The flush of this turn closes it.
      return;
  }
}

void Connection::flush() {
  if (state_ == State::kOpen || state_ == State::kDraining) {
    switch (endpoint_.state()) {
      case EndpointState::kOpen:
      case EndpointState::kNotReading:
        break;
      case EndpointState::kFinishing:
        state_ = State::kDraining;
        break;
      case EndpointState::kDoomed:
        return close("closed by the server");
    }
    send_more();
  }
  if (state_ != State::kOpen && state_ != State::kDraining) return;
  const bool has_output = !endpoint_.out().empty();
  if (has_output && !sending_.busy()) flush_list_.hold(*this);
  const bool is_done = !has_output && !sending_.busy() && !endpoint_.has_work();
  if (state_ == State::kDraining && is_done) return close("end of stream");
  receive_more();
}

void Connection::send_more() {
  while (!sending_.busy() && (state_ == State::kOpen || state_ == State::kDraining)) {
    ByteView views[kSendViewsMax];
    const size_t count = endpoint_.out().gather(endpoint_.released(), views, kSendBytesMax);
    if (count == 0) return;
    const int32_t result = loop_.send(sending_, fd_, {views, count}, end_of({views, count}));
    if (result != kInFlight) note_sent(result);
  }
}

// Something follows the end of a send only where it leaves bytes behind, the endpoint waits for
// room to say more, or the connection is to close.
SendEnd Connection::end_of(std::span<const ByteView> views) const {
  if (state_ != State::kOpen || views.size() == kSendViewsMax) return SendEnd::kPrompt;
  size_t bytes = 0;
  for (const ByteView view : views) bytes += view.size();
  const bool is_last = bytes == endpoint_.out().size_bytes() && !endpoint_.has_more();
  return is_last ? SendEnd::kMayBeLate : SendEnd::kPrompt;
}

void Connection::note_sent(int32_t result) {
  if (result < 0) return close(words_for(result));
  flush_list_.totals.output_bytes += static_cast<uint64_t>(result);
  ++flush_list_.totals.outputs;
  endpoint_.out().consume(static_cast<size_t>(result));
}

void Connection::on_sent(const Outcome& outcome) {
  if (state_ == State::kShutting) {
    state_ = State::kIdle;
    return owner_.on_idle(*this);  // may destroy this
  }
  if (state_ == State::kClosing) return close_when_unused();
  note_sent(outcome.result);
  // Most sends take all there is, of a connection that goes on receiving: then there is nothing to
  // look at.
  const bool is_quiet = endpoint_.out().empty() && receiving_.busy() && state_ == State::kOpen;
  if (!is_quiet && state_ != State::kClosing) touch();
}

void Connection::close(ByteView why) {
  if (state_ != State::kOpen && state_ != State::kDraining) return;
  state_ = State::kClosing;
  flush_list_.remove(*this);
  endpoint_.on_closed(why);
  loop_.cancel(receiving_);
  loop_.cancel(sending_);
  close_when_unused();
}

void Connection::close_when_unused() {
  if (receiving_.busy() || sending_.busy()) return;
  state_ = State::kShutting;
  loop_.close(sending_, fd_);
}

}  // namespace ouro
