// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/pubsub.h"

#include <span>

#include "datastructs/glob.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr uint32_t bit(Event event_class) { return 1U << static_cast<uint32_t>(event_class); }
// Fields of hashes (Redis 8.8): by key, by event, by key and field, by event and key.
constexpr uint32_t kSubkeyspaceBit = 1U << 26;
constexpr uint32_t kSubkeyeventBit = 1U << 27;
constexpr uint32_t kSubkeyspaceitemBit = 1U << 28;
constexpr uint32_t kSubkeyspaceeventBit = 1U << 29;
constexpr uint32_t kFieldBits =
    kSubkeyspaceBit | kSubkeyeventBit | kSubkeyspaceitemBit | kSubkeyspaceeventBit;
constexpr uint32_t kKeyspaceBit = 1U << 30;
constexpr uint32_t kKeyeventBit = 1U << 31;

struct ClassLetter {
  char letter;
  uint32_t bits;
};
// notify-keyspace-events' letters, in the order in which CONFIG GET shows them. A stands for all of
// the first.
constexpr ClassLetter kLetters[] = {
    {'g', bit(Event::kGeneric)}, {'$', bit(Event::kString)},  {'l', bit(Event::kList)},
    {'s', bit(Event::kSet)},     {'h', bit(Event::kHash)},    {'z', bit(Event::kZSet)},
    {'x', bit(Event::kExpired)}, {'e', bit(Event::kEvicted)}, {'t', bit(Event::kStream)},
    {'d', bit(Event::kModule)},
};
constexpr uint32_t kAll = [] {
  uint32_t bits = 0;
  for (const ClassLetter& row : kLetters) bits |= row.bits;
  return bits;
}();
constexpr ClassLetter kOtherLetters[] = {
    {'n', bit(Event::kNew)},
    {'o', bit(Event::kOverwritten)},
    {'c', bit(Event::kTypeChanged)},
    {'K', kKeyspaceBit},
    {'E', kKeyeventBit},
    {'m', bit(Event::kMiss)},
    {'S', kSubkeyspaceBit},
    {'T', kSubkeyeventBit},
    {'I', kSubkeyspaceitemBit},
    {'V', kSubkeyspaceeventBit},
    // Ours: what becomes of loads (lease, fill, fail, absent).
    {'L', bit(Event::kLease)},
};

// 0 for what is no class.
uint32_t class_bits(char letter) {
  if (letter == 'A') return kAll;
  for (const ClassLetter& row : kLetters) {
    if (row.letter == letter) return row.bits;
  }
  for (const ClassLetter& row : kOtherLetters) {
    if (row.letter == letter) return row.bits;
  }
  return 0;
}

std::optional<uint32_t> bits_of(ByteView letters) {
  uint32_t bits = 0;
  for (const char letter : letters) {
    const uint32_t meant = class_bits(letter);
    if (meant == 0) return std::nullopt;
    bits |= meant;
  }
  return bits;
}

size_t index_of(PubSub::Kind kind) { return static_cast<size_t>(kind); }

// What a subscription takes: a node of the session's tree, one of the names' and a place there.
size_t bytes_of(ByteView name) {
  constexpr size_t kLinksBytes = 4 * sizeof(void*);
  return 2 * (kLinksBytes + sizeof(std::string) + name.size()) + sizeof(std::vector<Session*>) +
         sizeof(void*);
}

}  // namespace

PubSub::PubSub(Engine& engine) : engine_(engine), held_(engine.heap) {}

bool PubSub::subscribe(Session& session, Kind kind, ByteView name) {
  if (!session.subscriptions[index_of(kind)].emplace(name).second) return false;
  session.subscription_bytes += bytes_of(name);
  held_.add(bytes_of(name));
  names_[index_of(kind)][std::string(name)].push_back(&session);
  return true;
}

bool PubSub::unsubscribe(Session& session, Kind kind, ByteView name) {
  auto& own = session.subscriptions[index_of(kind)];
  const auto subscribed = own.find(name);
  if (subscribed == own.end()) return false;
  Names& names = names_[index_of(kind)];
  const auto found = names.find(name);
  std::erase(found->second, &session);
  if (found->second.empty()) names.erase(found);
  session.subscription_bytes -= bytes_of(name);
  held_.remove(bytes_of(name));
  own.erase(subscribed);
  return true;
}

void PubSub::drop(Session& session) {
  for (const Kind kind : {Kind::kChannel, Kind::kPattern, Kind::kShard}) {
    auto& own = session.subscriptions[index_of(kind)];
    while (!own.empty()) unsubscribe(session, kind, std::string(*own.begin()));
  }
}

size_t PubSub::publish(Kind kind, ByteView channel, ByteView message) {
  size_t receivers = 0;
  const Names& names = names_[index_of(kind)];
  if (const auto found = names.find(channel); found != names.end()) {
    // A copy: a receiver over its output limit leaves the list.
    const std::vector<Session*> sessions = found->second;
    for (Session* session : sessions) {
      ++receivers;
      if (engine_.rehearses) continue;
      session->send_out_of_band([&](Reply& reply) {
        reply.push(3);
        reply.bulk(kind == Kind::kShard ? "smessage" : "message");
        reply.bulk(channel);
        reply.bulk(message);
      });
    }
  }
  if (kind == Kind::kShard) return receivers;
  std::vector<std::pair<std::string, Session*>> matching;
  for (const auto& [pattern, sessions] : names_[index_of(Kind::kPattern)]) {
    if (!glob_matches(pattern, channel)) continue;
    for (Session* session : sessions) matching.emplace_back(pattern, session);
  }
  for (const auto& [pattern, session] : matching) {
    if (engine_.rehearses) break;
    session->send_out_of_band([&, &name = pattern](Reply& reply) {
      reply.push(4);
      reply.bulk("pmessage");
      reply.bulk(name);
      reply.bulk(channel);
      reply.bulk(message);
    });
  }
  return receivers + matching.size();
}

size_t PubSub::subscriber_count(Kind kind, ByteView name) const {
  const auto found = names_[index_of(kind)].find(name);
  return found == names_[index_of(kind)].end() ? 0 : found->second.size();
}

size_t PubSub::name_count(Kind kind) const { return names_[index_of(kind)].size(); }

void PubSub::for_each_name(Kind kind, FunctionRef<void(ByteView, size_t)> fn) const {
  for (const auto& [name, sessions] : names_[index_of(kind)]) fn(name, sessions.size());
}

std::optional<std::string> PubSub::ordered_event_letters(ByteView letters) {
  const std::optional<uint32_t> bits = bits_of(letters);
  if (!bits) return std::nullopt;
  std::string ordered;
  const auto add = [&](std::span<const ClassLetter> rows) {
    for (const ClassLetter& row : rows) {
      if ((*bits & row.bits) != 0) ordered += row.letter;
    }
  };
  if ((*bits & kAll) == kAll) {
    ordered = "A";
  } else {
    add(kLetters);
  }
  add(kOtherLetters);
  return ordered;
}

bool PubSub::set_event_classes(ByteView letters) {
  const std::optional<uint32_t> bits = bits_of(letters);
  if (!bits) return false;
  event_classes_ = *bits;
  tells_fields_ = (*bits & bit(Event::kHash)) != 0 && (*bits & kFieldBits) != 0;
  return true;
}

void PubSub::notify(DbIndex db, ByteView key, Event event_class, ByteView event) {
  if ((event_classes_ & bit(event_class)) == 0) return;
  const std::string number = std::to_string(db);
  if ((event_classes_ & kKeyspaceBit) != 0) {
    std::string channel = "__keyspace@" + number + "__:";
    publish(Kind::kChannel, channel.append(key), event);
  }
  if ((event_classes_ & kKeyeventBit) != 0) {
    std::string channel = "__keyevent@" + number + "__:";
    publish(Kind::kChannel, channel.append(event), key);
  }
}

void PubSub::notify_fields(DbIndex db, ByteView key, ByteView event, Argv fields) {
  const auto has = [&](uint32_t channel) { return (event_classes_ & channel) != 0; };
  const auto tell = [&](const std::string& channel, ByteView message) {
    publish(Kind::kChannel, channel, message);
  };
  const auto add_counted = [](std::string& text, ByteView name) {
    text.append(std::to_string(name.size())).append(":").append(name);
  };
  std::string list;
  for (const ByteView field : fields) {
    if (!list.empty()) list += ',';
    add_counted(list, field);
  }
  const std::string place = "@" + std::to_string(db) + "__:";
  const std::string of_key = place + std::string(key);
  const std::string of_event = place + std::string(event);
  if (has(kSubkeyspaceBit)) tell("__subkeyspace" + of_key, std::string(event) + '|' + list);
  if (has(kSubkeyeventBit)) {
    std::string message;
    add_counted(message, key);
    tell("__subkeyevent" + of_event, message + '|' + list);
  }
  // Where the key ended and the field began would be anybody's guess.
  if (has(kSubkeyspaceitemBit) && key.find('\n') == ByteView::npos) {
    for (const ByteView field : fields)
      tell("__subkeyspaceitem" + of_key + '\n' + std::string(field), event);
  }
  if (has(kSubkeyspaceeventBit))
    tell("__subkeyspaceevent" + of_event + '|' + std::string(key), list);
}

}  // namespace ouro
