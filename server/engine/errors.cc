// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/errors.h"

namespace ouro::errors {

ByteView text_of(Err err) {
  switch (err) {
    case Err::kWrongType:
      return kWrongType;
    case Err::kNotAnInteger:
      return kNotAnInteger;
    case Err::kNotAFloat:
      return kNotAFloat;
    case Err::kOverflow:
      return kOverflow;
    case Err::kNanOrInfinity:
      return kNanOrInfinity;
    case Err::kSyntax:
      return kSyntax;
    case Err::kOutOfRange:
      return kOutOfRange;
    case Err::kNoSuchKey:
      return kNoSuchKey;
    case Err::kTooBig:
      return kStringTooBig;
    case Err::kProtocol:
    case Err::kIo:
    case Err::kCorrupt:
    case Err::kUnknown:
    case Err::kInvalid:
      return "ERR internal error";
    case Err::kNone:
    case Err::kMessage:
    case Err::kCountedMessage:
    case Err::kBlocked:
    case Err::kExclusive:
      break;
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro::errors
