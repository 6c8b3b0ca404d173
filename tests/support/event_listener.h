// SPDX-License-Identifier: BSD-3-Clause
// What keyspace events a command makes, for tests of command families.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {

// A client that hears of events of keys.
class EventListener final : SessionOwner {
 public:
  explicit EventListener(Engine& engine, ByteView classes = "EA",
                         ByteView channels = "__keyevent@0__:*")
      : session_(engine, {}, *this) {
    EXPECT_TRUE(engine.pubsub.set_event_classes(classes));
    engine.pubsub.subscribe(session_, PubSub::Kind::kPattern, channels);
  }
  // The bytes of all messages.
  std::string take_bytes() {
    ByteView views[64];
    const size_t count = session_.out().gather(kReleaseAll, views);
    std::string bytes;
    for (size_t i = 0; i < count; ++i) bytes += views[i];
    session_.out().consume(bytes.size());
    return bytes;
  }
  // The events in order, separated by blanks.
  std::string take() {
    const std::string bytes = take_bytes();
    std::string events;
    const std::string prefix = "@0__:";
    for (size_t at = bytes.find(prefix); at != std::string::npos; at = bytes.find(prefix, at)) {
      at += prefix.size();
      const std::string name = bytes.substr(at, bytes.find('\r', at) - at);
      if (name != "*") events += (events.empty() ? "" : " ") + name;
    }
    return events;
  }

 private:
  void on_session_active() override {}
  Session session_;
};

}  // namespace ouro
