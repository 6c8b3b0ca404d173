// SPDX-License-Identifier: BSD-3-Clause
// A client of an Engine without a socket: a Session that is fed lines and asked for its bytes. For
// tests of what needs a connection: waiting, transactions, pipelines.
//
//   TestClient worker(engine), producer(engine);
//   EXPECT_EQ(worker.ask("BLPOP k 0"), "");                // waits
//   EXPECT_EQ(producer.ask("RPUSH k v"), ":1");
//   EXPECT_EQ(worker.take(), "*2 $1 k $1 v");
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

class TestClient final : private SessionOwner {
 public:
  explicit TestClient(Engine& engine) : engine_(engine), session_(engine, {}, *this) {}

  // Puts inline commands, divided by "; ", into the next turn.
  void send(ByteView commands) {
    std::string& input = inputs_.emplace_back();
    while (!commands.empty()) {
      const size_t end = std::min(commands.find("; "), commands.size());
      input += std::string(commands.substr(0, end)) + "\r\n";
      commands.remove_prefix(std::min(end + 2, commands.size()));
    }
    session_.on_bytes(input);
  }
  // Turns until no session has anything to do.
  void turn() {
    do {
      engine_.run_batch();
    } while (engine_.batch.has_more());
  }
  std::string ask(ByteView commands) {
    send(commands);
    turn();
    return take();
  }
  // What has come out since, with blanks for line ends.
  std::string take() {
    std::string text;
    for (;;) {
      std::array<ByteView, 8> views;
      const size_t count = session_.out().gather(kReleaseAll, views);
      if (count == 0) break;
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        text += views[i];
        bytes += views[i].size();
      }
      session_.out().consume(bytes);
    }
    for (size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;)
      text.replace(at, 2, " ");
    if (!text.empty()) text.pop_back();
    return text;
  }
  void disconnect() { session_.on_closed("by the peer"); }
  Session& session() { return session_; }

 private:
  void on_session_active() override {}

  Engine& engine_;
  std::deque<std::string> inputs_;  // views into them live until the turn ends
  Session session_;
};

}  // namespace ouro
