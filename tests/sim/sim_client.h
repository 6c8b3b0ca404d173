// SPDX-License-Identifier: BSD-3-Clause
// SimClient: a peer of a simulated server that speaks RESP: sends the bytes it is given, collects
// what comes, and knows where a reply ends. It reads all at once, or as slowly as a scenario says.
#pragma once

#include <initializer_list>
#include <string>

#include "datastructs/base/units.h"
#include "sim/world.h"

namespace ouro {

// A command as an array of bulks.
std::string resp_command(std::initializer_list<ByteView> words);
// Bytes of the first reply in `bytes`, RESP2 or RESP3; 0 if it is not whole.
size_t reply_size(ByteView bytes);

class SimClient {
 public:
  // Connects to the server of a machine; what is sent before that waits.
  explicit SimClient(SimWorld& world, int machine = 0, uint16_t port = 6379);
  // Closes, if that has not been done.
  ~SimClient();
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  // Leaves as fast as the stream takes it.
  void send(ByteView bytes);
  // Sends one command and lets the world go on until it is answered: the reply, or "(none)" if none
  // came in ten seconds.
  std::string ask(std::initializer_list<ByteView> words);

  // Everything that was read and not taken.
  const std::string& received() const { return received_; }
  std::string take() { return std::exchange(received_, {}); }
  // The first whole reply, taken; empty if there is none.
  std::string take_reply();

  // Reads nothing until told.
  void pause_reading() { reads_ = false; }
  void resume_reading();
  size_t readable() const { return socket_ ? socket_.readable() : 0; }
  // Reads at most so many bytes now.
  void read(size_t bytes_max) { received_ += socket_.read(bytes_max); }

  bool is_connected() const { return static_cast<bool>(socket_); }
  // Bytes given to send() that the stream has not taken.
  size_t unsent() const { return outgoing_.size(); }
  // The server has ended or reset the stream, and all before was read.
  bool has_ended() const;
  SimSocket& socket() { return socket_; }

  void shutdown_write() { socket_.shutdown_write(); }
  void close();
  void reset();

 private:
  void move();

  SimWorld& world_;
  uint64_t attempt_ = 0;
  SimSocket socket_;
  std::string outgoing_;
  std::string received_;
  bool reads_ = true;
};

}  // namespace ouro
