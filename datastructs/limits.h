// SPDX-License-Identifier: BSD-3-Clause
// Up to where collections stay in their small encodings. The values come from the configuration
// (Redis's parameter names stand beside each), and are looked at only when a value grows: lowering
// a limit changes no value that exists.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro {

// Of what XADD IDMP remembers; in seconds, and in entries of one producer.
inline constexpr int64_t kStreamIdmpDurationMin = 1;
inline constexpr int64_t kStreamIdmpDurationMax = 86'400;
inline constexpr int64_t kStreamIdmpRecordsMin = 1;
inline constexpr int64_t kStreamIdmpRecordsMax = 10'000;

struct Limits {
  size_t hash_packed_entries = 512;     // hash-max-listpack-entries
  size_t hash_packed_value_bytes = 64;  // hash-max-listpack-value
  size_t set_ints_entries = 512;        // set-max-intset-entries
  // set-max-listpack-entries (Redis 7.2); inside, 7.0's names are reported.
  size_t set_packed_entries = 128;
  size_t set_packed_value_bytes = 64;   // set-max-listpack-value
  size_t zset_packed_entries = 128;     // zset-max-listpack-entries
  size_t zset_packed_value_bytes = 64;  // zset-max-listpack-value
  // list-max-listpack-size: > 0 entries a node; -1..-5: 4, 8, 16, 32, 64 KiB a node.
  int64_t list_node_limit = -2;
  // DEBUG QUICKLIST-PACKED-THRESHOLD: from here on an element is a node of its own.
  static constexpr size_t kListPlainBytes = size_t{1} << 30;
  size_t list_plain_bytes = kListPlainBytes;
  // list-compress-depth: nodes with so many others on either side are pressed; 0 presses none.
  size_t list_compress_depth = 0;
  size_t stream_node_bytes = 4096;   // stream-node-max-bytes; 0 is no limit but Stream::kBytesMax
  size_t stream_node_entries = 100;  // stream-node-max-entries; 0 is no limit
  uint32_t stream_idmp_duration_s = 100;  // stream-idmp-duration
  uint32_t stream_idmp_records = 100;     // stream-idmp-maxsize
};

}  // namespace ouro
