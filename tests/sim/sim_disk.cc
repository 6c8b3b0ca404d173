// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

// A change of a file's bytes: a write, or a new size.
struct Change {
  enum class Kind : uint8_t { kWrite, kResize } kind;
  uint64_t at;  // or the size
  std::string bytes;
};

// Names that change together: a rename takes one away and gives the other.
struct EntryChange {
  std::vector<std::pair<std::string, SimFile>> names;  // null: the name goes
};

using Entries = std::map<std::string, SimFile, std::less<>>;

void carry_out(const Change& change, std::string& bytes) {
  if (change.kind == Change::Kind::kResize) return bytes.resize(change.at);
  const size_t end = change.at + change.bytes.size();
  if (bytes.size() < end) bytes.resize(end);
  bytes.replace(change.at, change.bytes.size(), change.bytes);
}

void carry_out(const EntryChange& change, Entries& entries) {
  for (const auto& [name, node] : change.names) {
    if (node == nullptr) {
      entries.erase(name);
    } else {
      entries[name] = node;
    }
  }
}

}  // namespace

struct SimNode {
  bool is_dir = false;

  // A file's.
  std::string seen;
  std::string durable;
  std::vector<Change> pending;
  uint64_t forgotten = 0;  // changes that have left `pending`

  // A directory's.
  Entries seen_entries;
  Entries durable_entries;
  std::vector<EntryChange> pending_entries;

  void change(Change change_in) {
    carry_out(change_in, seen);
    pending.push_back(std::move(change_in));
  }
  void change_entries(EntryChange change_in) {
    carry_out(change_in, seen_entries);
    pending_entries.push_back(std::move(change_in));
  }
  void forget(size_t count) {
    pending.erase(pending.begin(), pending.begin() + static_cast<ptrdiff_t>(count));
    forgotten += count;
  }
};

namespace {

void crash_file(SimNode& file, CrashKeeps kept, Prng& prng) {
  std::string left = file.durable;
  if (kept == CrashKeeps::kAll) left = file.seen;
  if (kept == CrashKeeps::kSome) {
    const size_t torn = file.pending.empty() ? 0 : prng.below(file.pending.size());
    for (size_t i = 0; i < file.pending.size(); ++i) {
      Change change = file.pending[i];
      if (prng.below(2) == 0) continue;
      if (i == torn) change.bytes.resize(prng.below(change.bytes.size() + 1));
      carry_out(change, left);
    }
  }
  file.seen = file.durable = left;
  file.forget(file.pending.size());
}

void crash_node(SimNode& node, CrashKeeps kept, Prng& prng) {
  if (!node.is_dir) return crash_file(node, kept, prng);
  size_t survive = 0;
  if (kept == CrashKeeps::kAll) survive = node.pending_entries.size();
  if (kept == CrashKeeps::kSome) survive = prng.below(node.pending_entries.size() + 1);
  for (size_t i = 0; i < survive; ++i) carry_out(node.pending_entries[i], node.durable_entries);
  node.pending_entries.clear();
  node.seen_entries = node.durable_entries;
  for (const auto& [name, child] : node.seen_entries) crash_node(*child, kept, prng);
}

uint64_t bytes_below(const SimNode& node) {
  uint64_t bytes = node.seen.size();
  for (const auto& [name, child] : node.seen_entries) bytes += bytes_below(*child);
  return bytes;
}

}  // namespace

SimDisk::SimDisk(Prng& prng) : prng_(prng), root_(std::make_shared<SimNode>()) {
  root_->is_dir = true;
}

SimNode* SimDisk::find_parent(ByteView path, std::string& name) const {
  SimNode* dir = root_.get();
  name.clear();
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const ByteView part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!name.empty()) {
      const auto found = dir->seen_entries.find(name);
      if (found == dir->seen_entries.end() || !found->second->is_dir) return nullptr;
      dir = found->second.get();
    }
    name = part;
  }
  return dir;
}

SimNode* SimDisk::find(ByteView path) const {
  std::string name;
  SimNode* const parent = find_parent(path, name);
  if (parent == nullptr || name.empty()) return parent;
  const auto found = parent->seen_entries.find(name);
  return found == parent->seen_entries.end() ? nullptr : found->second.get();
}

int32_t SimDisk::open(ByteView path, OpenFor purpose, SimFile& file) {
  if (opens_to_fail_ > 0 && path == path_to_fail_) {
    --opens_to_fail_;
    return -EMFILE;
  }
  std::string name;
  SimNode* const parent = find_parent(path, name);
  if (parent == nullptr) return -ENOENT;
  const auto found = parent->seen_entries.find(name);
  if (name.empty() || (found != parent->seen_entries.end() && found->second->is_dir)) {
    return -EISDIR;
  }
  if (found != parent->seen_entries.end()) {
    file = found->second;
    const bool empties = purpose == OpenFor::kReplace && !file->seen.empty();
    if (empties) file->change({.kind = Change::Kind::kResize, .at = 0, .bytes = {}});
    return 0;
  }
  if (purpose == OpenFor::kRead) return -ENOENT;
  file = std::make_shared<SimNode>();
  parent->change_entries({.names = {{name, file}}});
  return 0;
}

int32_t SimDisk::read_at(const SimFile& file, std::span<char> room, uint64_t offset) const {
  if (offset >= file->seen.size()) return 0;
  const size_t count = std::min<size_t>(room.size(), file->seen.size() - offset);
  std::memcpy(room.data(), file->seen.data() + offset, count);
  return static_cast<int32_t>(count);
}

int32_t SimDisk::write_at(const SimFile& file, ByteView bytes, uint64_t offset) {
  if (writes_to_fail_ > 0) {
    --writes_to_fail_;
    return -EIO;
  }
  size_t count = std::min(bytes.size(), std::exchange(next_write_max_, SIZE_MAX));
  const uint64_t used = used_bytes();
  const uint64_t free = used < capacity_ ? capacity_ - used : 0;
  const uint64_t size = file->seen.size();
  if (offset + count > size && offset + count - size > free) {
    // As much as fits, and the error only when that is nothing.
    const uint64_t end = size + free;
    if (end <= offset && !bytes.empty()) return -ENOSPC;
    count = end - offset;
  }
  if (count == 0) return 0;
  file->change(
      {.kind = Change::Kind::kWrite, .at = offset, .bytes = std::string(bytes.substr(0, count))});
  return static_cast<int32_t>(count);
}

uint64_t SimDisk::written_mark(const SimFile& file) {
  return file->forgotten + file->pending.size();
}

int64_t SimDisk::size_of(const SimFile& file) { return static_cast<int64_t>(file->seen.size()); }

int32_t SimDisk::sync(const SimFile& file, uint64_t mark) {
  // Another sync may have covered some of it meanwhile.
  const size_t count = mark > file->forgotten ? mark - file->forgotten : 0;
  const bool fails = syncs_to_fail_ > 0;
  if (fails) --syncs_to_fail_;
  for (size_t i = 0; i < count && !fails; ++i) carry_out(file->pending[i], file->durable);
  file->forget(count);
  return fails ? -EIO : 0;
}

int32_t SimDisk::truncate(const SimFile& file, uint64_t size) {
  file->change({.kind = Change::Kind::kResize, .at = size, .bytes = {}});
  return 0;
}

int32_t SimDisk::rename(ByteView from, ByteView to) {
  std::string from_name;
  std::string to_name;
  SimNode* const from_dir = find_parent(from, from_name);
  SimNode* const to_dir = find_parent(to, to_name);
  if (from_dir == nullptr || to_dir == nullptr) return -ENOENT;
  const auto found = from_dir->seen_entries.find(from_name);
  if (found == from_dir->seen_entries.end()) return -ENOENT;
  const SimFile file = found->second;
  CHECK(!file->is_dir);
  if (const auto old = to_dir->seen_entries.find(to_name); old != to_dir->seen_entries.end()) {
    if (old->second->is_dir) return -EISDIR;
    if (old->second == file) return 0;
  }
  if (from_dir == to_dir) {
    from_dir->change_entries({.names = {{from_name, nullptr}, {to_name, file}}});
  } else {
    to_dir->change_entries({.names = {{to_name, file}}});
    from_dir->change_entries({.names = {{from_name, nullptr}}});
  }
  return 0;
}

int32_t SimDisk::unlink(ByteView path) {
  std::string name;
  SimNode* const parent = find_parent(path, name);
  if (parent == nullptr) return -ENOENT;
  const auto found = parent->seen_entries.find(name);
  if (found == parent->seen_entries.end()) return -ENOENT;
  if (found->second->is_dir) return -EISDIR;
  parent->change_entries({.names = {{name, nullptr}}});
  return 0;
}

int32_t SimDisk::make_dir(ByteView path) {
  std::string name;
  SimNode* const parent = find_parent(path, name);
  if (parent == nullptr) return -ENOENT;
  if (name.empty() || parent->seen_entries.contains(name)) return -EEXIST;
  const auto dir = std::make_shared<SimNode>();
  dir->is_dir = true;
  parent->change_entries({.names = {{name, dir}}});
  return 0;
}

int32_t SimDisk::list_dir(ByteView path, std::vector<std::string>& names) const {
  names.clear();
  const SimNode* const dir = find(path);
  if (dir == nullptr) return -ENOENT;
  if (!dir->is_dir) return -ENOTDIR;
  for (const auto& [name, node] : dir->seen_entries) names.push_back(name);
  return 0;
}

int32_t SimDisk::sync_dir(ByteView path) {
  SimNode* const dir = find(path);
  if (dir == nullptr) return -ENOENT;
  if (!dir->is_dir) return -ENOTDIR;
  const bool fails = syncs_to_fail_ > 0;
  if (fails) --syncs_to_fail_;
  if (fails) return -EIO;
  for (const EntryChange& change : dir->pending_entries) carry_out(change, dir->durable_entries);
  dir->pending_entries.clear();
  return 0;
}

void SimDisk::crash(CrashKeeps kept) { crash_node(*root_, kept, prng_); }

uint64_t SimDisk::used_bytes() const { return bytes_below(*root_); }

std::string SimDisk::seen(ByteView path) const {
  const SimNode* const node = find(path);
  return node == nullptr ? "(none)" : node->seen;
}

std::string SimDisk::durable(ByteView path) const {
  const SimNode* node = root_.get();
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const ByteView part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty()) continue;
    const auto found = node->durable_entries.find(part);
    if (found == node->durable_entries.end()) return "(none)";
    node = found->second.get();
  }
  return node->durable;
}

}  // namespace ouro
