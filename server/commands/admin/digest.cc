// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/admin/digest.h"

#include <cstdio>

#include "datastructs/base/hash.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

template <class... Parts>
Digest digest_in_order(Parts... parts) {
  Digest digest;
  (digest.add(parts), ...);
  return digest;
}

// What a reader of the stream can see: entries, and how far each group has come.
void mix_stream(Digest& digest, const Stream& stream) {
  stream.for_each([&](const StreamEntry& entry) {
    digest.add(StreamIdText(entry.id));
    entry.for_each_field([&](ByteView field, ByteView value) {
      digest.add(field);
      digest.add(value);
    });
    return true;
  });
  digest.add(StreamIdText(stream.last_id()));
  stream.for_each_group([&](const StreamGroup& group) {
    digest.add(group.name());
    digest.add(StreamIdText(group.last_id));
    group.for_each_pending({}, [&](const StreamPending& pending) {
      digest.add(StreamIdText(pending.id));
      digest.add(pending.owner_name());
      return true;
    });
  });
}

void mix_value(Digest& digest, const Entry& entry) {
  switch (entry.type()) {
    case Type::kString: {
      NumberText scratch;
      digest.add(entry.text(scratch));
      return;
    }
    case Type::kList: {
      const List& list = entry.as<List>();
      list.for_each(0, list.size(), [&](const ListElement& element) { digest.add(element.bytes); });
      return;
    }
    case Type::kSet: {
      Digest members;
      entry.as<Set>().for_each([&](ByteView member) { members.mix(digest_in_order(member)); });
      digest.add(members);
      return;
    }
    case Type::kZSet: {
      Digest members;
      entry.as<ZSet>().for_each([&](ByteView member, double score) {
        char text[kDoubleTextMax];
        members.mix(digest_in_order(member, ByteView(text, format_double(score, text))));
      });
      digest.add(members);
      return;
    }
    case Type::kHash: {
      Digest fields;
      entry.as<Hash>().for_each(
          [&](const Hash::Item& item) { fields.mix(digest_in_order(item.field, item.value)); });
      digest.add(fields);
      return;
    }
    case Type::kStream:
      mix_stream(digest, entry.as<Stream>());
      return;
    case Type::kBloom:
    case Type::kCuckoo:
    case Type::kCountMin:
    case Type::kTopK:
    case Type::kTDigest:
      entry.for_each_part([&](ByteView part) { digest.add(part); });
      return;
  }
}

}  // namespace

void Digest::add(ByteView bytes) {
  for (size_t i = 0; i < words_.size(); ++i) {
    words_[i] =
        hash_bytes(bytes, HashSeed{(words_[i] ^ bytes.size()) * 0x9E3779B97F4A7C15ULL + i + 1});
  }
}

void Digest::add(const Digest& other) {
  add(ByteView(reinterpret_cast<const char*>(other.words_.data()), sizeof(words_)));
}

void Digest::mix(const Digest& other) {
  // A sum, so that two equal ones do not cancel out.
  for (size_t i = 0; i < words_.size(); ++i) words_[i] += other.words_[i];
}

std::string Digest::text() const {
  char text[48];
  std::snprintf(text, sizeof(text), "%016llx%016llx%08llx",
                static_cast<unsigned long long>(words_[0]),
                static_cast<unsigned long long>(words_[1]),
                static_cast<unsigned long long>(words_[2] & 0xFFFFFFFF));
  return text;
}

Digest digest_of(const Entry& entry) {
  Digest digest;
  digest.add(type_name(entry.type()));
  mix_value(digest, entry);
  if (entry.has_deadline()) digest.add(ByteView("expires"));
  return digest;
}

}  // namespace ouro
