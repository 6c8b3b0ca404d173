// SPDX-License-Identifier: BSD-3-Clause
// What INFO's sections are written with, and those that stand in files of their own.
#pragma once

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "server/engine/engine.h"

namespace ouro {

using Ull = unsigned long long;

// A section as it is written, line by line.
class Page {
 public:
  explicit Page(Context& ctx) : engine(ctx.engine), now(ctx.now) {}

  [[gnu::format(printf, 2, 3)]] void line(const char* format, ...) {
    char buffer[1024];
    std::va_list args;
    va_start(args, format);
    const int length = std::vsnprintf(buffer, sizeof(buffer), format, args);
    va_end(args);
    CHECK(length >= 0);
    text.append(buffer, std::min(static_cast<size_t>(length), sizeof(buffer) - 1)).append("\r\n");
  }
  void value(const char* name, uint64_t number) {
    line("%s:%llu", name, static_cast<unsigned long long>(number));
  }
  void zeros(std::initializer_list<const char*> names) {
    for (const char* name : names) value(name, 0);
  }
  void word(const char* name, ByteView bytes) {
    text.append(name).append(":").append(bytes).append("\r\n");
  }
  // As people read it.
  void human(const char* name, uint64_t bytes) {
    char shown[32];
    const auto number = static_cast<double>(bytes);
    if (bytes < 1_KiB) {
      std::snprintf(shown, sizeof(shown), "%lluB", static_cast<unsigned long long>(bytes));
    } else if (bytes < 1_MiB) {
      std::snprintf(shown, sizeof(shown), "%.2fK", number / 1024);
    } else if (bytes < 1_GiB) {
      std::snprintf(shown, sizeof(shown), "%.2fM", number / (1024 * 1024));
    } else {
      std::snprintf(shown, sizeof(shown), "%.2fG", number / (1024.0 * 1024 * 1024));
    }
    line("%s_human:%s", name, shown);
  }
  // The same in bytes and for people.
  void bytes(const char* name, uint64_t number) {
    value(name, number);
    human(name, number);
  }

  Engine& engine;
  UnixMs now;
  std::string text;
};

void cache_section(Page& page);
void replication_section(Page& page);

}  // namespace ouro
