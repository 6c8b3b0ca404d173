// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acl_log.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ouro {
namespace {

constexpr std::array<std::string_view, AclLog::kReasons> kReasonNames = {"auth", "command", "key",
                                                                         "channel", "database"};
constexpr std::array<std::string_view, 3> kContextNames = {"toplevel", "multi", "lua"};

}  // namespace

ByteView name_of(AclLog::Reason reason) { return kReasonNames[static_cast<size_t>(reason)]; }
ByteView name_of(AclLog::Context context) { return kContextNames[static_cast<size_t>(context)]; }

void AclLog::add(Entry entry, size_t entries_max) {
  const auto end =
      entries_.begin() + static_cast<std::ptrdiff_t>(std::min(entries_.size(), kComparedMax));
  const auto same = std::find_if(entries_.begin(), end, [&](const Entry& old) {
    return old.reason == entry.reason && old.context == entry.context &&
           old.object == entry.object && old.user == entry.user && entry.at - old.at <= kSameWithin;
  });
  if (same != end) {
    entry.count += same->count;
    entry.id = same->id;
    entry.created = same->created;
    entries_.erase(same);
  } else {
    entry.id = next_id_++;
    entry.created = entry.at;
  }
  entries_.push_front(std::move(entry));
  while (entries_.size() > entries_max) entries_.pop_back();
}

}  // namespace ouro
