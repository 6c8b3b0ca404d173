// SPDX-License-Identifier: BSD-3-Clause
// Status and Result<T>: how functions report outcomes. No allocation, one byte of code.
// A bug is a CHECK, absence is a pointer or an optional; this is for what a caller must handle.
#pragma once

#include <cstdint>
#include <utility>

#include "datastructs/base/check.h"

namespace ouro {

// What went wrong. The texts that clients see for these stand in server/engine/errors.h.
enum class Err : uint8_t {
  kNone,
  kWrongType,      // the key holds another kind of value
  kNotAnInteger,   // not an integer, or outside of int64
  kNotAFloat,      // not a number
  kOverflow,       // the sum does not fit
  kNanOrInfinity,  // the sum is not a number
  kSyntax,         // unknown or misplaced option
  kOutOfRange,     // index out of range
  kNoSuchKey,
  kTooBig,          // above a named limit (proto-max-bulk-len)
  kProtocol,        // broken peer: close it
  kIo,              // the system refused; the caller knows the errno
  kCorrupt,         // bytes that do not decode
  kUnknown,         // a name that does not exist
  kInvalid,         // a value that a rule forbids
  kMessage,         // the text has been left with whoever reports it (Context::fail)
  kCountedMessage,  // the same, of a failure that the statistics know already
  kBlocked,         // not an error: the caller waits and is run again
  kExclusive,       // not an error: the caller waits and nobody else runs
};

class [[nodiscard]] Status {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): `return Err::kSyntax;`
  constexpr Status(Err err) noexcept : err_(err) {}
  static constexpr Status ok() noexcept { return Status(Err::kNone); }

  constexpr bool is_ok() const noexcept { return err_ == Err::kNone; }
  constexpr Err err() const noexcept { return err_; }
  friend constexpr bool operator==(Status, Status) noexcept = default;

 private:
  Err err_;
};

// A T or the Err that stood in its way. T must be default constructible and movable.
template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor): a function returns a value, an Err or a Status
  constexpr Result(T value) noexcept : value_(std::move(value)) {}
  constexpr Result(Err err) noexcept : err_(err) { CHECK(err != Err::kNone); }
  constexpr Result(Status status) noexcept : Result(status.err()) {}
  // NOLINTEND(google-explicit-constructor)

  constexpr bool is_ok() const noexcept { return err_ == Err::kNone; }
  constexpr Err err() const noexcept { return err_; }
  constexpr Status status() const noexcept { return err_; }
  constexpr T& value() & noexcept {
    CHECK(is_ok());
    return value_;
  }
  constexpr const T& value() const& noexcept {
    CHECK(is_ok());
    return value_;
  }
  constexpr T&& value() && noexcept {
    CHECK(is_ok());
    return std::move(value_);
  }
  constexpr T& operator*() noexcept { return value_; }
  constexpr const T& operator*() const noexcept { return value_; }

 private:
  T value_{};
  Err err_ = Err::kNone;
};

namespace internal {
inline Err err_of(Status status) noexcept { return status.err(); }
template <class T>
Err err_of(const Result<T>& result) noexcept {
  return result.err();
}
}  // namespace internal

}  // namespace ouro

#define OURO_CONCAT_(a, b) a##b
#define OURO_CONCAT(a, b) OURO_CONCAT_(a, b)

// OURO_TRY(expression)        returns the error of a Status to the caller
// OURO_TRY(T name, expression) declares `name` from a Result<T>, or returns its error
#define OURO_TRY_STATUS(expression)                                        \
  do {                                                                     \
    if (const ::ouro::Err ouro_err = ::ouro::internal::err_of(expression); \
        ouro_err != ::ouro::Err::kNone) [[unlikely]]                       \
      return ouro_err;                                                     \
  } while (false)
// NOLINTBEGIN(bugprone-macro-parentheses): names and a declaration cannot stand in parentheses
#define OURO_TRY_VALUE_(temporary, declaration, expression) \
  auto temporary = (expression);                            \
  if (!temporary.is_ok()) [[unlikely]]                      \
    return temporary.err();                                 \
  declaration = std::move(*temporary)
// NOLINTEND(bugprone-macro-parentheses)
#define OURO_TRY_VALUE(declaration, expression) \
  OURO_TRY_VALUE_(OURO_CONCAT(ouro_result_, __LINE__), declaration, expression)
#define OURO_TRY_PICK(a, b, picked, ...) picked
#define OURO_TRY(...) OURO_TRY_PICK(__VA_ARGS__, OURO_TRY_VALUE, OURO_TRY_STATUS, )(__VA_ARGS__)
