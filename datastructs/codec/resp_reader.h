// SPDX-License-Identifier: BSD-3-Clause
// Bytes of one peer -> commands. RESP arrays of bulks, and inline commands; limits and error texts
// are Redis 7.0's.
//
//      unread_ [whole commands given back]  own_ [torn command]  in_ [fed this turn, borrowed]
//       first ------------------------------------------------------------------------> last
//
// A command that stands whole in what was fed is parsed in place: no copy, no allocation, its views
// point into the receive buffer. A torn one is copied to own_ with just the bytes it needs, and
// parsing goes on where it stopped, so a byte is looked at a bounded number of times however the
// stream is cut. A large bulk that has not all arrived is received into a Blob of its own, which a
// handler may keep by pinning it.
//
// Views of commands are valid until end_turn() and ArgvArena::clear(). end_turn() must be called
// once a turn in which the reader was fed, before the receive buffer goes back. An idle reader
// holds no memory. The same commands and the same error come out wherever the stream is cut. As in
// Redis, the two bytes behind a bulk are skipped unseen. Unlike there, a zero byte in an inline
// command is a byte like any other. Limits are taken as of the call: while a peer must
// authenticate, parse and run one command at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/codec/argv_arena.h"

namespace ouro {

// Of an inline command, and of a line that announces a length.
inline constexpr size_t kInlineBytesMax = 64_KiB;
// As in Redis up to 6.2; later ones take any number. All are looked at in one turn.
inline constexpr size_t kCommandArgsMax = 1_MiB;
// Of a peer that has yet to authenticate.
inline constexpr size_t kUnauthenticatedArgsMax = 10;
inline constexpr size_t kUnauthenticatedBulkBytesMax = 16_KiB;
// A torn bulk of at least this size gets memory of its own. Below, copying it costs less than a
// value that is not packed.
inline constexpr size_t kLargeBulkBytes = 32_KiB;

class RespReader {
 public:
  struct Limits {
    size_t bulk_bytes_max = 512_MiB;  // proto-max-bulk-len
    bool authenticated = true;        // else the limits above hold, too
  };
  // An argument that is a whole Blob. The arena holds a pin until the end of the turn.
  struct BlobArg {
    size_t index;
    Blob* blob;
  };
  struct Command {
    std::span<const ByteView> argv;  // never empty
    // The command as it came, if that is canonical RESP in one run of bytes; else empty.
    ByteView raw;
    std::span<const BlobArg> blobs;  // ascending by index
  };
  enum class Read : uint8_t {
    kCommand,
    kMore,   // all bytes are taken; see want()
    kError,  // see error(); nothing is read any more
  };

  explicit RespReader(Heap& heap) noexcept : heap_(heap) {}
  ~RespReader();
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  // The next bytes of the stream, valid until end_turn(). Read them with next() until kMore; what
  // is left over is kept.
  void feed(ByteView bytes);
  // The next command, its arguments in `arena`.
  Read next(const Limits& limits, ArgvArena& arena, Command& command);
  // "Protocol error: ..." after kError.
  ByteView error() const { return error_; }

  // Where the rest of a large bulk should be received, when it is worth a receive of its own; else
  // empty. on_filled() tells how many bytes were written there; then next() goes on.
  std::span<char> want();
  void on_filled(size_t bytes);

  // Gives commands back that cannot run now (the peer blocked): they come out of next() again,
  // before all others.
  void unread(std::span<const Command> commands);
  // Bytes and views of this turn die; what was fed and not read is kept as a copy.
  void end_turn();

  // Bytes that came and are not yet part of a command given out (what client-query-buffer-limit
  // bounds).
  size_t pending_bytes() const;
  // Of them: the whole arguments of a torn command, and what is not understood yet.
  size_t argument_bytes() const { return argument_bytes_; }
  size_t unparsed_bytes() const;
  // What the reader holds.
  size_t memory_bytes() const;
  void check_invariants() const;

 private:
  enum class State : uint8_t {
    kStart,    // at the first byte of a command; nothing is known of it
    kInline,   // in a line of words
    kCount,    // in "*<count>"
    kLength,   // in "$<bytes>"
    kBulk,     // in a bulk that is collected in own_
    kBlob,     // in a bulk that has its own memory
    kBlobEnd,  // in the two bytes behind it
    kBroken,
  };
  enum class Line : uint8_t { kFound, kMore, kTooLong };
  struct Block {
    Block* next;
    size_t capacity;
    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  };
  // An argument of the torn command, by its place behind own_begin_; a blob's place is not used.
  struct Place {
    size_t at;
    size_t size;
  };
  struct PendingBlob {
    PendingBlob* before;
    BlobArg arg;
  };

  size_t parse_whole(ByteView in, const Limits& limits, ArgvArena& arena, Command& command);
  static size_t parse_inline(ByteView in, ArgvArena& arena, Command& command);

  // ---- resp_reader_torn.cc
  Read resume(const Limits& limits, ArgvArena& arena, Command& command);
  bool step(const Limits& limits);
  bool read_inline();
  bool read_count(const Limits& limits);
  bool read_length(const Limits& limits);
  bool read_bulk();
  bool read_blob();
  bool read_blob_end();
  bool fail(ByteView text);

  Line find_line(char last, size_t& line_bytes);
  bool need(size_t bytes);
  void start_blob(size_t bytes);
  void fill_blob(ByteView& bytes);
  void grow_blob();
  void add_place(Place place);
  void finish(ArgvArena& arena, Command& command);
  void forget_command();
  void skip_command();

  // ---- buffers
  ByteView own() const {
    if (own_ == nullptr) return {};
    return {own_->bytes() + own_begin_, own_end_ - own_begin_};
  }
  void take_in(size_t bytes);
  void reserve_own(size_t bytes);
  void consume_own(size_t bytes);
  Block* make_block(size_t capacity);
  void retire(Block* block);
  void free_retired();

  Heap& heap_;
  ByteView in_;
  Block* own_ = nullptr;
  size_t own_begin_ = 0;  // the first byte not yet given out
  size_t own_end_ = 0;
  Block* unread_ = nullptr;
  size_t unread_begin_ = 0;
  size_t unread_end_ = 0;
  Block* retired_ = nullptr;  // what commands of this turn still point into

  // The torn command, which starts at own_begin_.
  State state_ = State::kStart;
  bool canonical_ = true;    // all its line ends were "\r\n"
  size_t scanned_ = 0;       // up to here it is understood, from own_begin_
  size_t line_scanned_ = 0;  // so much behind scanned_ holds no line end
  size_t line_bytes_ = 0;    // of the inline command found
  size_t args_left_ = 0;
  size_t bulk_bytes_ = 0;
  Place* places_ = nullptr;
  size_t place_count_ = 0;
  size_t place_capacity_ = 0;
  size_t argument_bytes_ = 0;  // of the places together
  // The newest first; in kBlob and kBlobEnd the first is the one being received.
  PendingBlob* blobs_ = nullptr;
  size_t blob_count_ = 0;

  ByteView error_;
  char error_text_[40];
};

}  // namespace ouro
