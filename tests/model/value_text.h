// SPDX-License-Identifier: BSD-3-Clause
// All that a value is, as text: two values are the same if their texts are.
#pragma once

#include <map>
#include <string>

#include "datastructs/keyspace/entry.h"

namespace ouro {

// Elements of an unordered collection, and all that is known of each.
using Elements = std::map<std::string, std::string>;

inline std::string text_of_elements(const Elements& elements) {
  std::string text;
  for (const auto& [element, value] : elements) text.append(element + "=" + value + ",");
  return text;
}

inline std::string text_of(StreamId id) {
  return std::to_string(id.ms) + "-" + std::to_string(id.seq) + ",";
}

inline std::string text_of(const List& list) {
  std::string text;
  list.for_each(0, list.size(),
                [&](const ListElement& element) { text.append(element.bytes).append(","); });
  return text;
}

inline std::string text_of(const Set& set) {
  Elements all;
  set.for_each(
      [&](ByteView member) { all[std::string(member)] = std::to_string(set.deadline(member)); });
  return text_of_elements(all);
}

inline std::string text_of(const ZSet& zset) {
  Elements all;
  zset.for_each([&](ByteView member, double score) {
    all[std::string(member)] = std::to_string(score) + "@" + std::to_string(zset.deadline(member));
  });
  return text_of_elements(all);
}

inline std::string text_of(const Hash& hash) {
  Elements all;
  hash.for_each([&](const Hash::Item& item) {
    all[std::string(item.field)] = std::string(item.value) + "@" + std::to_string(item.deadline);
  });
  return text_of_elements(all);
}

inline std::string text_of(const StreamGroup& group) {
  std::string text = "|group " + std::string(group.name()) + text_of(group.last_id) +
                     std::to_string(group.entries_read) + ":";
  const auto add = [&](const StreamPending& item) {
    text += text_of(item.id) + std::to_string(item.delivered_at) + "x" +
            std::to_string(item.deliveries) + (item.is_released() ? "r" : ",");
    return true;
  };
  group.for_each_pending({}, add);
  group.for_each_queued(add);
  group.for_each_consumer([&](const StreamConsumer& consumer) {
    text += "|consumer " + std::string(consumer.name()) + std::to_string(consumer.seen_at) + "," +
            std::to_string(consumer.active_at) + ":";
    consumer.pending.for_each([&](StreamId id) { text += text_of(id); });
  });
  return text;
}

inline std::string text_of(const Stream& stream) {
  std::string text = text_of(stream.last_id()) + text_of(stream.max_deleted_id()) +
                     std::to_string(stream.entries_added()) + ":";
  stream.for_each([&](const StreamEntry& entry) {
    text += text_of(entry.id);
    entry.for_each_field([&](ByteView field, ByteView value) {
      text.append(field).append("=").append(value).append(",");
    });
    return true;
  });
  stream.for_each_group([&](const StreamGroup& group) { text += text_of(group); });
  if (stream.producers() == nullptr) return text;
  text += "|added " + std::to_string(stream.producers()->added()) + ":";
  stream.producers()->for_each_record([&](ByteView producer, ByteView name, StreamId id) {
    text.append(producer).append("/").append(name).append("=").append(text_of(id));
  });
  return text;
}

// Filters and sketches.
template <class Sketch>
std::string text_of(const Sketch& sketch) {
  std::string text;
  sketch.for_each_part([&](ByteView part) { text.append(part).append("|"); });
  return text;
}

inline std::string text_of(const Entry& entry) {
  if (!entry.is_string()) return entry.visit([](const auto& value) { return text_of(value); });
  NumberText scratch;
  return std::string(entry.text(scratch));
}

}  // namespace ouro
