// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_options.h"

#include <array>

namespace ouro {
namespace {

using A = AofOptions;
using K = OptionKind;

// By AppendFsync.
constexpr std::array<std::string_view, 3> kAppendFsyncNames = {"everysec", "always", "no"};
static_assert(static_cast<size_t>(AppendFsync::kEverySecond) == 0);
static_assert(static_cast<size_t>(AppendFsync::kNo) == 2);

constexpr OptionFlag kImmutable = OptionFlag::kImmutable;

bool is_plain_name(ByteView name, const std::string& what, const char* kind, std::string& error) {
  if (name.empty()) {
    error = what + " can't be empty";
  } else if (name.find('/') != ByteView::npos) {
    error = what + " can't be a path, just a " + kind;
  }
  return error.empty();
}

bool check_dir_name(Words, OptionValue& value, std::string& error) {
  return is_plain_name(value.text, "appenddirname", "dirname", error);
}
bool check_file_name(Words, OptionValue& value, std::string& error) {
  return is_plain_name(value.text, "appendfilename", "filename", error);
}

constexpr OptionRow kRows[] = {
    {.name = "aof-disable-auto-gc",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&A::aof_disable_auto_gc>(),
     .doc = "Keep files of the log that a rewrite has replaced."},
    {.name = "aof-load-truncated",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::aof_load_truncated>(),
     .doc = "Start although the log ends in mid-command: what is torn is cut off."},
    {.name = "aof-rewrite-incremental-fsync",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::aof_rewrite_incremental_fsync>(),
     .doc = "Sync a rewrite in parts."},
    {.name = "aof-timestamp-enabled",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&A::aof_timestamp_enabled>(),
     .doc = "Write times into the log."},
    {.name = "aof-use-rdb-preamble",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::aof_use_rdb_preamble>(),
     .doc = "A rewrite's base is a snapshot; else it is commands."},
    {.name = "appenddirname",
     .flags = kImmutable,
     .standard = "appendonlydir",
     .field = option_field<&A::appenddirname>(),
     .check = check_dir_name,
     .doc = "The folder of the log, within dir."},
    {.name = "appendfilename",
     .flags = kImmutable,
     .standard = "appendonly.aof",
     .field = option_field<&A::appendfilename>(),
     .check = check_file_name,
     .doc = "What the names of the log's files begin with."},
    {.name = "appendfsync",
     .kind = K::kEnum,
     .standard = "everysec",
     .names = kAppendFsyncNames,
     .field = option_field<&A::appendfsync>(),
     .doc = "When the log is synced: always before a reply, each second, or never."},
    {.name = "appendonly",
     .kind = K::kBool,
     .flags = OptionFlag::kNotLoading,
     .standard = "no",
     .field = option_field<&A::appendonly>(),
     .doc = "Log each change."},
    {.name = "auto-aof-rewrite-min-size",
     .kind = K::kBytes,
     .standard = "67108864",
     .field = option_field<&A::auto_aof_rewrite_min_size>(),
     .doc = "The log is rewritten from this size on."},
    {.name = "auto-aof-rewrite-percentage",
     .kind = K::kInteger,
     .standard = "100",
     .most = INT32_MAX,
     .field = option_field<&A::auto_aof_rewrite_percentage>(),
     .doc = "By how much the log grows before it is rewritten; 0 is never."},
    {.name = "no-appendfsync-on-rewrite",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&A::no_appendfsync_on_rewrite>(),
     .doc = "No sync of the log while a snapshot or a rewrite is written."},
};

}  // namespace

constinit const std::span<const OptionRow> kAofOptions = kRows;

}  // namespace ouro
