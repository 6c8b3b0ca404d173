// SPDX-License-Identifier: BSD-3-Clause
// FlushList: the connections that have something to do at the end of this turn. flush_all() costs
// what is on the list, never what is connected.
//
//      touched   bytes were fed, a send ended, or the application appended output:
//                looked at by the next flush_all()
//      held      output that waits for its release offset (not yet on disk or acknowledged):
//                looked at by each flush_all()
//
// A connection is a member of at most one of the two lists, through links of its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro {

class Connection;

// Sums over all connections, for INFO; who reads one may set it to 0.
struct NetTotals {
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t inputs = 0;   // receives that brought something
  uint64_t outputs = 0;  // sends that took something
};

// A connection's links. next is null while it is on no list.
struct FlushLinks {
  FlushLinks* next = nullptr;
  FlushLinks* previous = nullptr;
  bool is_linked() const noexcept { return next != nullptr; }
};

class FlushList {
 public:
  FlushList() noexcept;
  ~FlushList();  // requires both lists to be empty
  FlushList(const FlushList&) = delete;
  FlushList& operator=(const FlushList&) = delete;

  // Once a turn, after everything that makes output and before the loop waits.
  void flush_all();

  // For Connection.
  void touch(Connection& connection) noexcept;
  void hold(Connection& connection) noexcept;
  void remove(Connection& connection) noexcept;

  NetTotals totals;

 private:
  // Heads of circular lists.
  FlushLinks touched_;
  FlushLinks held_;
};

}  // namespace ouro
