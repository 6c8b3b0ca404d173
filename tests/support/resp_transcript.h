// SPDX-License-Identifier: BSD-3-Clause
// Reads a stream of bytes as one peer would send it, cut into pieces and turns, and writes down
// what came out. Used by the unit tests and the fuzz target: whatever the cuts, the transcript must
// be the same.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "datastructs/base/check.h"
#include "datastructs/base/prng.h"
#include "datastructs/codec/resp_reader.h"

namespace ouro {

class RespTranscript {
 public:
  explicit RespTranscript(RespReader::Limits limits = {}) : limits_(limits) {}

  // The whole stream in one piece and one turn.
  std::string whole(ByteView stream) {
    return run(
        stream, [&](size_t) { return stream.size(); }, nullptr);
  }
  // Two pieces, in two turns.
  std::string cut_at(ByteView stream, size_t at) {
    return run(
        stream, [&](size_t done) { return done == 0 && at > 0 ? at : stream.size(); }, nullptr);
  }
  std::string in_steps(ByteView stream, size_t step) {
    return run(
        stream, [&](size_t) { return step; }, nullptr);
  }
  // Pieces, turns, early ends of reading and commands given back as the generator says.
  std::string at_random(ByteView stream, Prng& prng) {
    // Long streams in at most some hundred pieces.
    const uint64_t size_max = std::max(uint64_t{1} << prng.below(18), stream.size() / 300);
    return run(
        stream, [&](size_t) { return 1 + prng.below(size_max); }, &prng);
  }

 private:
  template <class PieceSize>
  std::string run(ByteView stream, PieceSize piece_size, Prng* prng) {
    Heap heap;
    std::string log;
    {
      ArgvArena arena(heap);
      RespReader reader(heap);
      bool ended = false;
      for (size_t done = 0; !ended && (done < stream.size() || reader.pending_bytes() > 0);) {
        // One turn: some pieces, each in memory of exactly its size that lives until the end of the
        // turn.
        std::vector<std::unique_ptr<char[]>> buffers;
        std::vector<RespReader::Command> commands;
        const bool last_turn = done == stream.size();
        for (uint64_t pieces = prng == nullptr ? 1 : 1 + prng->below(3); pieces > 0 && !ended;
             --pieces) {
          done += pass_on(reader, stream.substr(done, piece_size(done)), buffers);
          const size_t commands_max =
              prng == nullptr || prng->below(4) != 0 ? ~size_t{0} : prng->below(5);
          ended = read(reader, arena, commands, last_turn ? ~size_t{0} : commands_max);
        }
        size_t keep = commands.size();
        if (prng != nullptr && prng->below(8) == 0 && !last_turn) keep = prng->below(keep + 1);
        for (size_t i = 0; i < keep; ++i) write(commands[i], log);
        reader.unread(std::span(commands).subspan(keep));
        ended = ended && keep == commands.size();
        reader.check_invariants();
        CHECK(reader.memory_bytes() + arena.memory_bytes() <= heap.used_bytes());
        arena.clear();
        reader.end_turn();
        reader.check_invariants();
        if (last_turn) break;
      }
      log += reader.error();
      if (reader.pending_bytes() == 0) CHECK(reader.memory_bytes() == 0);
    }
    CHECK(heap.used_bytes() == 0);
    return log;
  }

  // As a connection does: a large bulk goes straight to its place, all else through a buffer.
  static size_t pass_on(RespReader& reader, ByteView piece,
                        std::vector<std::unique_ptr<char[]>>& buffers) {
    if (const std::span<char> place = reader.want(); !place.empty() && !piece.empty()) {
      const size_t bytes = std::min(place.size(), piece.size());
      std::memcpy(place.data(), piece.data(), bytes);
      reader.on_filled(bytes);
      return bytes;
    }
    auto buffer = std::make_unique<char[]>(piece.size());
    if (!piece.empty()) std::memcpy(buffer.get(), piece.data(), piece.size());
    reader.feed({buffer.get(), piece.size()});
    buffers.push_back(std::move(buffer));
    return piece.size();
  }

  // True when nothing more can come.
  bool read(RespReader& reader, ArgvArena& arena, std::vector<RespReader::Command>& commands,
            size_t commands_max) {
    RespReader::Command command;
    while (commands_max-- > 0) {
      const RespReader::Read result = reader.next(limits_, arena, command);
      if (result == RespReader::Read::kError) return true;
      if (result == RespReader::Read::kMore) return false;
      commands.push_back(command);
    }
    return false;
  }

  static void write(const RespReader::Command& command, std::string& log) {
    CHECK(!command.argv.empty());
    std::string canonical = "*" + std::to_string(command.argv.size()) + "\r\n";
    for (const ByteView arg : command.argv) {
      canonical += "$" + std::to_string(arg.size()) + "\r\n";
      canonical += arg;
      canonical += "\r\n";
    }
    if (!command.raw.empty()) CHECK(command.raw == canonical);
    for (const RespReader::BlobArg& arg : command.blobs) {
      CHECK(arg.blob->view().data() == command.argv[arg.index].data());
      CHECK(arg.blob->size() == command.argv[arg.index].size());
    }
    log += canonical;
  }

  RespReader::Limits limits_;
};

}  // namespace ouro
