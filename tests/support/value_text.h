// SPDX-License-Identifier: BSD-3-Clause
// A value as text, all that commands could tell of it: two values are equal exactly if their texts
// are. Elements of what has no order are sorted.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "datastructs/keyspace/entry.h"

namespace ouro {

inline std::string real_text(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", number);
  return text;
}

inline std::string quoted_text(ByteView bytes) {
  std::string text = "\"";
  for (const char byte : bytes) {
    char code[8];
    const auto value = static_cast<unsigned char>(byte);
    std::snprintf(code, sizeof code, value < 32 || value > 126 || value == '"' ? "\\x%02x" : "%c",
                  value);
    text += code;
  }
  return text + "\"";
}

inline std::string deadline_text(UnixMs when) {
  return when == kNoExpiry ? "" : "@" + std::to_string(when);
}

inline std::string sorted_text(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += part + " ";
  return text;
}

inline std::string producers_text(const StreamProducers& producers) {
  std::string text = " producers " + std::to_string(producers.settings().duration_s) + " " +
                     std::to_string(producers.settings().records_max) + " added " +
                     std::to_string(producers.added()) + " twice " +
                     std::to_string(producers.duplicates());
  producers.for_each_record([&](ByteView producer, ByteView name, StreamId id) {
    text += " " + quoted_text(producer) + ":" + quoted_text(name) + "=" +
            std::string(StreamIdText(id).view());
  });
  return text;
}

inline std::string stream_text(const Stream& stream) {
  const auto id_text = [](StreamId id) { return std::string(StreamIdText(id).view()); };
  std::string text;
  stream.for_each([&](const StreamEntry& entry) {
    text += id_text(entry.id) + ":";
    entry.for_each_field([&](ByteView field, ByteView value) {
      text += quoted_text(field) + "=" + quoted_text(value) + " ";
    });
    return true;
  });
  text += " last " + id_text(stream.last_id()) + " deleted " + id_text(stream.max_deleted_id()) +
          " added " + std::to_string(stream.entries_added());
  stream.for_each_group([&](const StreamGroup& group) {
    text += " group " + quoted_text(group.name()) + " at " + id_text(group.last_id) + " read " +
            std::to_string(group.entries_read);
    group.for_each_consumer([&](const StreamConsumer& consumer) {
      text += " consumer " + quoted_text(consumer.name()) + " " + std::to_string(consumer.seen_at);
    });
    group.for_each_pending({}, [&](const StreamPending& pending) {
      text += " pending " + id_text(pending.id) + " " + std::to_string(pending.deliveries);
      // Of the times of released entries only the order counts, which the queue tells.
      if (!pending.is_released())
        text += " at " + std::to_string(pending.delivered_at) + " of " +
                quoted_text(pending.owner_name());
      return true;
    });
    group.for_each_queued([&](const StreamPending& pending) {
      text += " then " + id_text(pending.id);
      return true;
    });
  });
  if (stream.producers() != nullptr) text += producers_text(*stream.producers());
  return text;
}

// What a t-digest answers; a saved one has its samples joined.
inline std::string digest_text(const TDigest& digest) {
  const TDigest::View view = digest.view();
  std::string text = std::to_string(digest.compression()) + " " + real_text(view.total()) + " " +
                     real_text(view.min()) + " " + real_text(view.max());
  for (const TDigest::Centroid& centroid : view.centroids())
    text += " " + real_text(centroid.mean) + "*" + real_text(centroid.weight);
  return text;
}

inline std::string value_text(const Entry& entry) {
  std::vector<std::string> parts;
  switch (entry.type()) {
    case Type::kString: {
      NumberText scratch;
      return "string " + quoted_text(entry.text(scratch));
    }
    case Type::kList: {
      std::string text = "list ";
      const List& list = entry.as<List>();
      list.for_each(0, list.size(),
                    [&](const ListElement& element) { text += quoted_text(element.bytes) + " "; });
      return text;
    }
    case Type::kSet: {
      const Set& set = entry.as<Set>();
      set.for_each([&](ByteView member) {
        parts.push_back(quoted_text(member) + deadline_text(set.deadline(member)));
      });
      return "set " + sorted_text(parts);
    }
    case Type::kZSet: {
      const ZSet& zset = entry.as<ZSet>();
      std::string text = "zset ";
      zset.for_each([&](ByteView member, double score) {
        text += quoted_text(member) + "=" + real_text(score) +
                deadline_text(zset.deadline(member)) + " ";
      });
      return text;
    }
    case Type::kHash:
      entry.as<Hash>().for_each([&](const Hash::Item& item) {
        parts.push_back(quoted_text(item.field) + "=" + quoted_text(item.value) +
                        deadline_text(item.deadline));
      });
      return "hash " + sorted_text(parts);
    case Type::kStream:
      return "stream " + stream_text(entry.as<Stream>());
    case Type::kTDigest:
      return "t-digest " + digest_text(entry.as<TDigest>());
    case Type::kBloom:
    case Type::kCuckoo:
    case Type::kCountMin:
    case Type::kTopK: {
      std::string text(type_name(entry.type()));
      entry.for_each_part([&](ByteView part) { text += " " + quoted_text(part); });
      return text;
    }
  }
  return "";
}

}  // namespace ouro
