// SPDX-License-Identifier: BSD-3-Clause
// PubSub: channels, patterns and shard channels, who subscribed to them, and keyspace
// notifications, which are messages too. A message to a RESP3 client is a push, to a RESP2 client
// an array.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/memory.h"
#include "server/engine/context.h"

namespace ouro {

class Engine;
class Session;

class PubSub {
 public:
  enum class Kind : uint8_t { kChannel, kPattern, kShard };

  explicit PubSub(Engine& engine);

  // True when the session was not subscribed before.
  bool subscribe(Session& session, Kind kind, ByteView name);
  bool unsubscribe(Session& session, Kind kind, ByteView name);
  void drop(Session& session);  // all of a session's subscriptions, without replies
  // How many sessions got the message.
  size_t publish(Kind kind, ByteView channel, ByteView message);

  size_t subscriber_count(Kind kind, ByteView name) const;
  size_t name_count(Kind kind) const;
  void for_each_name(Kind kind, FunctionRef<void(ByteView, size_t)> fn) const;

  // ---- keyspace notifications (notify-keyspace-events)
  bool notifies() const { return event_classes_ != 0; }
  // The option's letters in Redis's order, each once; nothing when one is unknown.
  static std::optional<std::string> ordered_event_letters(ByteView letters);
  // Parses the option's letters; false when one is unknown.
  bool set_event_classes(ByteView letters);
  void notify(DbIndex db, ByteView key, Event event_class, ByteView event);
  // Fields of hashes are told as well, in messages of their own.
  bool tells_fields() const { return tells_fields_; }
  void notify_fields(DbIndex db, ByteView key, ByteView event, Argv fields);

 private:
  using Names = std::map<std::string, std::vector<Session*>, std::less<>>;

  Engine& engine_;
  Names names_[3];
  HeapShare held_;  // Session::subscription_bytes of all
  uint32_t event_classes_ = 0;
  bool tells_fields_ = false;
};

}  // namespace ouro
