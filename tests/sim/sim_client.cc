// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_client.h"

#include <algorithm>
#include <charconv>

#include "datastructs/base/check.h"

namespace ouro {

std::string resp_command(std::initializer_list<ByteView> words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const ByteView word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n";
    bytes.append(word).append("\r\n");
  }
  return bytes;
}

size_t reply_size(ByteView bytes) {
  size_t at = 0;
  size_t end_of_first = 0;  // of its first line
  // Elements that are still to come; an aggregate adds its own.
  for (int64_t left = 1; left > 0; --left) {
    const size_t end = bytes.find("\r\n", at);
    if (end == ByteView::npos) return 0;
    const char type = bytes[at];
    int64_t number = 0;
    std::from_chars(bytes.data() + at + 1, bytes.data() + end, number);
    at = end + 2;
    if (end_of_first == 0) end_of_first = at;
    switch (type) {
      case '$':
      case '=':
      case '!':
        if (number < 0) break;
        at += static_cast<size_t>(number) + 2;
        if (at > bytes.size()) return 0;
        break;
      case '>':
        // A message that a transaction publishes to its own client stands in EXEC's array, as in
        // Redis 7.0, and is none of its elements.
        if (at > end_of_first) ++left;
        [[fallthrough]];
      case '*':
      case '~':
        left += std::max<int64_t>(number, 0);
        break;
      case '%':
        left += 2 * number;
        break;
      case '|':
        // An attribute stands before the element that it belongs to.
        left += 2 * number + 1;
        break;
      default:
        CHECK(ByteView("+-:_,#(").find(type) != ByteView::npos);
    }
  }
  return at;
}

SimClient::SimClient(SimWorld& world, int machine, uint16_t port) : world_(world) {
  const Address address = *Address::from_ip("127.0.0.1", port);
  attempt_ =
      world.net().connect(SimNet::kOutside, machine, address, [this](int error, SimSocket socket) {
        attempt_ = 0;
        if (error != 0) return;
        socket_ = std::move(socket);
        socket_.set_on_change([this] { move(); });
        move();
      });
}

SimClient::~SimClient() { close(); }

void SimClient::send(ByteView bytes) {
  outgoing_ += bytes;
  move();
}

void SimClient::move() {
  if (!socket_ || socket_.is_closed()) return;
  if (reads_) received_ += socket_.read();
  size_t sent = 0;
  while (sent < outgoing_.size()) {
    const int32_t count = socket_.send(ByteView(outgoing_).substr(sent));
    if (count <= 0) break;
    sent += static_cast<size_t>(count);
  }
  outgoing_.erase(0, sent);
}

std::string SimClient::ask(std::initializer_list<ByteView> words) {
  CHECK(received_.empty());
  send(resp_command(words));
  world_.run_until([this] { return reply_size(received_) > 0 || has_ended(); }, 10'000);
  const std::string reply = take_reply();
  return reply.empty() ? "(none)" : reply;
}

std::string SimClient::take_reply() {
  const size_t size = reply_size(received_);
  std::string reply = received_.substr(0, size);
  received_.erase(0, size);
  return reply;
}

void SimClient::resume_reading() {
  reads_ = true;
  move();
}

bool SimClient::has_ended() const {
  return socket_ && (socket_.is_closed() || socket_.at_end() || socket_.error() != 0);
}

void SimClient::close() {
  if (attempt_ != 0) world_.net().cancel_connect(attempt_);
  attempt_ = 0;
  if (socket_) socket_.close();
}

void SimClient::reset() {
  if (socket_) socket_.reset();
}

}  // namespace ouro
