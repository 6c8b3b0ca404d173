// SPDX-License-Identifier: BSD-3-Clause
// The two checksums that Redis's formats are made of.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"

namespace ouro {

// CRC-64/Jones, reflected, start and end not inverted: the end of RDB files and DUMP payloads. Goes
// on from `crc`, 0 at first: crc64(crc64(0, a), b) == crc64(0, a + b). Cost: about 1.5 bytes a
// cycle.
uint64_t crc64(uint64_t crc, ByteView bytes) noexcept;

// CRC-16/XMODEM: a key's cluster slot is this modulo 16384.
uint16_t crc16(ByteView bytes) noexcept;

}  // namespace ouro
