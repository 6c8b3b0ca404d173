// SPDX-License-Identifier: BSD-3-Clause
#include "server/net/flush.h"

#include "datastructs/base/check.h"
#include "server/net/connection.h"

namespace ouro {
namespace {

void make_empty(FlushLinks& head) { head.next = head.previous = &head; }
bool is_empty(const FlushLinks& head) { return head.next == &head; }

void unlink(FlushLinks& links) {
  links.previous->next = links.next;
  links.next->previous = links.previous;
  links.next = links.previous = nullptr;
}

void append(FlushLinks& head, FlushLinks& links) {
  links.previous = head.previous;
  links.next = &head;
  head.previous->next = &links;
  head.previous = &links;
}

}  // namespace

FlushList::FlushList() noexcept {
  make_empty(touched_);
  make_empty(held_);
}

FlushList::~FlushList() {
  CHECK(is_empty(touched_));
  CHECK(is_empty(held_));
}

void FlushList::flush_all() {
  // The held ones once: those that have to go on waiting hold() themselves again.
  while (!is_empty(held_)) {
    FlushLinks& links = *held_.next;
    unlink(links);
    append(touched_, links);
  }
  while (!is_empty(touched_)) {
    Connection& connection = static_cast<Connection&>(*touched_.next);
    unlink(connection);
    connection.flush();
  }
}

void FlushList::touch(Connection& connection) noexcept {
  if (!connection.is_linked()) append(touched_, connection);
}

void FlushList::hold(Connection& connection) noexcept {
  if (!connection.is_linked()) append(held_, connection);
}

void FlushList::remove(Connection& connection) noexcept {
  if (connection.is_linked()) unlink(connection);
}

}  // namespace ouro
