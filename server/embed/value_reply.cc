// SPDX-License-Identifier: BSD-3-Clause
#include "server/embed/value_reply.h"

namespace ouro {

void HostReply::blob(Blob*, ByteView part) { bulk(part); }

// A leaf closes what it completes; open() takes the new node before anything is closed.
Answer& ValueReply::add(Answer::Kind kind) {
  Answer* node = &root_;
  if (!open_.empty()) node = &open_.back().node->items.emplace_back();
  node->kind = kind;
  const bool leaf =
      kind != Answer::Kind::kArray && kind != Answer::Kind::kMap && kind != Answer::Kind::kSet;
  if (leaf) close_whole();
  return *node;
}

void ValueReply::open(Answer::Kind kind, size_t count) {
  Answer& node = add(kind);
  if (count != kUncounted) node.items.reserve(count);
  open_.push_back({&node, count});
  close_whole();
}

void ValueReply::attribute(size_t pairs) {
  dropped_ = Answer();
  open_.push_back({&dropped_, pairs * 2});
  close_whole();
}

Reply::Mark ValueReply::begin() {
  open(Answer::Kind::kArray, kUncounted);
  return open_.size();
}

void ValueReply::end(Mark mark, Answer::Kind kind, size_t count) {
  CHECK(open_.size() == mark);
  CHECK(open_.back().node->items.size() == count);
  open_.back().node->kind = kind;
  open_.pop_back();
  close_whole();
}

void ValueReply::close_whole() {
  while (!open_.empty() && open_.back().node->items.size() == open_.back().count) open_.pop_back();
}

}  // namespace ouro
