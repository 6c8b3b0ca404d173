// SPDX-License-Identifier: BSD-3-Clause
// Clients of an Engine without sockets: Sessions that are fed lines and asked for their bytes. For
// tests of what needs a connection: waiting, transactions, pipelines. As in a server, output leaves
// at the end of a turn in which the session was fed or said that it is active, and only then.
//
//   TestTurns turns(engine);
//   TestClient worker(turns), producer(turns);
//   EXPECT_EQ(worker.ask("BLPOP k 0"), "");                // waits
//   EXPECT_EQ(producer.ask("RPUSH k v"), ":1");
//   EXPECT_EQ(worker.take(), "*2 $1 k $1 v");
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

class TestClient;

class TestTurns {
 public:
  explicit TestTurns(Engine& engine) : engine_(engine) {}
  Engine& engine() { return engine_; }
  // Turns until no session has anything to do.
  void run();
  void run_one();

 private:
  friend class TestClient;

  Engine& engine_;
  std::vector<TestClient*> clients_;
};

class TestClient final : private SessionOwner {
 public:
  explicit TestClient(TestTurns& turns) : turns_(turns), session_(turns.engine(), {}, *this) {
    turns_.clients_.push_back(this);
  }
  ~TestClient() override { std::erase(turns_.clients_, this); }

  // Puts inline commands, divided by "; ", into the next turn.
  void send(ByteView commands) {
    std::string& input = inputs_.emplace_back();
    while (!commands.empty()) {
      const size_t end = std::min(commands.find("; "), commands.size());
      input += std::string(commands.substr(0, end)) + "\r\n";
      commands.remove_prefix(std::min(end + 2, commands.size()));
    }
    is_touched_ = true;
    session_.on_bytes(input);
  }
  std::string ask(ByteView commands) {
    send(commands);
    turns_.run();
    return take();
  }
  // What has come out since, with blanks for line ends.
  std::string take() {
    std::string text = std::exchange(sent_, {});
    for (size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) {
      text.replace(at, 2, " ");
    }
    if (!text.empty()) text.pop_back();
    return text;
  }
  void disconnect() { session_.on_closed("by the peer"); }
  Session& session() { return session_; }

 private:
  friend class TestTurns;

  void on_session_active() override { is_touched_ = true; }

  // The end of a turn.
  void flush() {
    if (!std::exchange(is_touched_, false)) return;
    for (;;) {
      std::array<ByteView, 8> views;
      const size_t count = session_.out().gather(kReleaseAll, views);
      if (count == 0) return;
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        sent_ += views[i];
        bytes += views[i].size();
      }
      session_.out().consume(bytes);
    }
  }

  TestTurns& turns_;
  std::deque<std::string> inputs_;  // the session's views point into them until the turn ends
  std::string sent_;
  bool is_touched_ = false;
  Session session_;
};

inline void TestTurns::run_one() {
  engine_.run_batch();
  for (TestClient* client : clients_) client->flush();
}

inline void TestTurns::run() {
  do {
    run_one();
  } while (engine_.batch.has_more());
}

}  // namespace ouro
