// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/admin/command_info.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace ouro {
namespace {

struct FlagName {
  Flags flag;
  ByteView name;
};
// What is missing here (kMayReplicate, kProtected, ours) Redis does not tell either.
constexpr FlagName kFlagNames[] = {
    {Flag::kWrite, "write"},
    {Flag::kReadonly, "readonly"},
    {Flag::kDenyOom, "denyoom"},
    {Flag::kAdmin, "admin"},
    {Flag::kPubsub, "pubsub"},
    {Flag::kNoScript, "noscript"},
    {Flag::kBlocking, "blocking"},
    {Flag::kLoading, "loading"},
    {Flag::kStale, "stale"},
    {Flag::kSkipMonitor, "skip_monitor"},
    {Flag::kSkipSlowlog, "skip_slowlog"},
    {Flag::kAsking, "asking"},
    {Flag::kFast, "fast"},
    {Flag::kNoAuth, "no_auth"},
    {Flag::kNoMandatoryKeys, "no_mandatory_keys"},
    {Flag::kNoAsyncLoading, "no_async_loading"},
    {Flag::kNoMulti, "no_multi"},
    {Flag::kMovableKeys, "movablekeys"},
    {Flag::kAllowBusy, "allow_busy"},
};

// In the order of KeyUse's bits.
constexpr ByteView kUseNames[] = {
    "RO",     "RW",     "OW",      "RM",         "access",        "update",
    "insert", "delete", "not_key", "incomplete", "variable_flags"};

void write_flags(Flags flags, Reply& reply) {
  const auto shown = std::count_if(std::begin(kFlagNames), std::end(kFlagNames),
                                   [&](const FlagName& known) { return flags.has(known.flag); });
  reply.set(static_cast<size_t>(shown));
  for (const FlagName& known : kFlagNames) {
    if (flags.has(known.flag)) reply.simple(known.name);
  }
}

void write_categories(AclCategories acl, Reply& reply) {
  reply.set(static_cast<size_t>(std::popcount(acl.bits)));
  for (size_t bit = 0; bit < kAclCategoryNames.size(); ++bit) {
    if ((acl.bits >> bit & 1) == 0) continue;
    std::string name = "@";
    name += kAclCategoryNames[bit];
    reply.simple(name);
  }
}

void write_tips(ByteView tips, Reply& reply) {
  const auto blanks = std::count(tips.begin(), tips.end(), ' ');
  reply.set(tips.empty() ? 0 : static_cast<size_t>(blanks) + 1);
  while (!tips.empty()) {
    const size_t end = std::min(tips.find(' '), tips.size());
    reply.bulk(tips.substr(0, end));
    tips.remove_prefix(std::min(end + 1, tips.size()));
  }
}

void write_number(ByteView name, int value, Reply& reply) {
  reply.bulk(name);
  reply.integer(value);
}

// {"type": type, "spec": {...}}; the pairs of "spec" follow.
void begin_part(ByteView type, size_t pairs, Reply& reply) {
  reply.map(2);
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
  reply.map(pairs);
}

void write_begin_search(const KeySpec& key, Reply& reply) {
  switch (key.begin) {
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      begin_part("unknown", 0, reply);
      return;
    case KeySpec::Begin::kIndex:
      begin_part("index", 1, reply);
      write_number("index", key.index, reply);
      return;
    case KeySpec::Begin::kKeyword:
      begin_part("keyword", 2, reply);
      reply.bulk("keyword");
      reply.bulk(key.keyword);
      write_number("startfrom", key.index, reply);
      return;
  }
}

void write_find_keys(const KeySpec& key, Reply& reply) {
  switch (key.find) {
    case KeySpec::Find::kUnknown:
      begin_part("unknown", 0, reply);
      return;
    case KeySpec::Find::kRange:
      begin_part("range", 3, reply);
      write_number("lastkey", key.last, reply);
      write_number("keystep", key.step, reply);
      write_number("limit", key.limit, reply);
      return;
    case KeySpec::Find::kKeyNum:
      begin_part("keynum", 3, reply);
      write_number("keynumidx", key.key_num, reply);
      write_number("firstkey", key.first, reply);
      write_number("keystep", key.step, reply);
      return;
  }
}

void write_keys(const CommandSpec& row, Reply& reply) {
  const auto is_used = [](const KeySpec& key) { return key.begin != KeySpec::Begin::kNone; };
  reply.set(static_cast<size_t>(std::count_if(row.keys.begin(), row.keys.end(), is_used)));
  for (const KeySpec& key : row.keys) {
    if (!is_used(key)) continue;
    reply.map(3);
    reply.bulk("flags");
    write_key_use(key.use, reply);
    reply.bulk("begin_search");
    write_begin_search(key, reply);
    reply.bulk("find_keys");
    write_find_keys(key, reply);
  }
}

bool is_fixed_range(const KeySpec& key) {
  return key.begin == KeySpec::Begin::kIndex && key.find == KeySpec::Find::kRange;
}

}  // namespace

// A lone range is told as it is. Of several, those that follow each other key by key are joined;
// others are left out, and Redis marks such a command movablekeys.
LegacyRange legacy_range(const CommandSpec& row) {
  const size_t used =
      static_cast<size_t>(std::count_if(row.keys.begin(), row.keys.end(), [](const KeySpec& key) {
        return key.begin != KeySpec::Begin::kNone;
      }));
  if (used == 0) return {};
  const KeySpec& lone = row.keys[0];
  const auto end_of = [](const KeySpec& key) {
    return key.last < 0 ? key.last : key.index + key.last;
  };
  if (used == 1 && is_fixed_range(lone)) {
    return {.first = lone.index, .last = end_of(lone), .step = lone.step};
  }
  std::optional<LegacyRange> joined;
  for (const KeySpec& key : row.keys) {
    if (!is_fixed_range(key) || key.step != 1) continue;
    if (joined && (joined->last < 0 || joined->last != key.index - 1)) continue;
    if (!joined) joined = {.first = key.index, .last = 0, .step = 1};
    joined->last = end_of(key);
  }
  return joined.value_or(LegacyRange{});
}

void for_each_use_name(KeyUse use, FunctionRef<void(ByteView)> fn) {
  for (size_t bit = 0; bit < std::size(kUseNames); ++bit) {
    if ((use >> bit & 1) != 0) fn(kUseNames[bit]);
  }
}

void write_key_use(KeyUse use, Reply& reply) {
  reply.set(static_cast<size_t>(std::popcount(use)));
  for_each_use_name(use, [&](ByteView name) { reply.simple(name); });
}

void write_command_info(const Registry& registry, const CommandSpec& row, Reply& reply) {
  const LegacyRange range = legacy_range(row);
  reply.array(10);
  reply.bulk(registry.full_name(row));
  reply.integer(row.arity);
  write_flags(row.flags, reply);
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  write_categories(acl_categories(row), reply);
  write_tips(row.doc.tips, reply);
  write_keys(row, reply);
  if (row.subcommands.empty()) {
    reply.set(0);  // Redis's shape: an empty set, but an array when there are some
    return;
  }
  reply.array(row.subcommands.size());
  for (const CommandSpec& subcommand : row.subcommands)
    write_command_info(registry, subcommand, reply);
}

}  // namespace ouro
