// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/record_scanner.h"

#include "datastructs/base/check.h"

namespace ouro {
namespace {

ByteView pattern_of_opcode(RdbOpcode opcode) {
  switch (opcode) {
    case RdbOpcode::kSlotInfo:
      return "lll";
    case RdbOpcode::kFunction:
    case RdbOpcode::kFunctionOfCandidates:
      return "s";
    case RdbOpcode::kModuleAux:
      return "lm";
    case RdbOpcode::kIdle:
    case RdbOpcode::kSelect:
      return "l";
    case RdbOpcode::kFrequency:
      return "1";
    case RdbOpcode::kAux:
      return "ss";
    case RdbOpcode::kResize:
      return "ll";
    case RdbOpcode::kExpiryMillis:
      return "8";
    case RdbOpcode::kExpirySeconds:
      return "4";
    case RdbOpcode::kEnd:
      break;
  }
  return "";
}

// Of a key and its value; empty if there is no such type.
ByteView pattern_of_type(RdbType type) {
  switch (type) {
    case RdbType::kString:
    case RdbType::kHashZipmap:
    case RdbType::kListZiplist:
    case RdbType::kSetIntset:
    case RdbType::kZSetZiplist:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kZSetListpack:
    case RdbType::kSetListpack:
    case RdbType::kHashTimedListpackOld:
      return "ss";
    case RdbType::kList:
    case RdbType::kSet:
    case RdbType::kListZiplists:
      return "s*(s)";
    case RdbType::kZSetText:
      return "s*(st)";
    case RdbType::kZSet:
      return "s*(s8)";
    case RdbType::kHash:
      return "s*(ss)";
    case RdbType::kModule:
      return "slm";
    case RdbType::kListNodes:
      return "s*(ls)";
    case RdbType::kStream1:
      return "s*(ss)lll*(sll*(i8l)*(s8*(i)))";
    case RdbType::kStream2:
      return "s*(ss)llllllll*(slll*(i8l)*(s8*(i)))";
    case RdbType::kStream3:
      return "s*(ss)llllllll*(slll*(i8l)*(s88*(i)))";
    case RdbType::kHashTimedOld:
      return "s*(lss)";
    case RdbType::kHashTimed:
      return "s8*(lss)";
    case RdbType::kHashTimedListpack:
      return "s8s";
    case RdbType::kModuleOld:
      break;
  }
  return "";
}

}  // namespace

bool RecordScanner::begin(uint8_t first) {
  pattern_ = first >= static_cast<uint8_t>(RdbOpcode::kSlotInfo)
                 ? pattern_of_opcode(static_cast<RdbOpcode>(first))
                 : pattern_of_type(static_cast<RdbType>(first));
  place_ = depth_ = 0;
  at_ = 1;
  return !pattern_.empty() || first == static_cast<uint8_t>(RdbOpcode::kEnd);
}

RdbReader::State RecordScanner::scan(ByteView bytes) {
  RdbReader in(bytes.substr(at_), at_);
  while (place_ < pattern_.size()) {
    // What was not whole stays to be read again.
    RdbReader part = in;
    const bool moved = step(part);
    if (!part.ok()) {
      reason_ = part.reason();
      return part.state();
    }
    in = part;
    at_ = static_cast<size_t>(in.offset());
    if (moved) ++place_;
  }
  return RdbReader::State::kOk;
}

// Reads what the pattern says here; true if the next thing is the next in the pattern.
bool RecordScanner::step(RdbReader& in) {
  switch (pattern_[place_]) {
    case 's':
      in.skip_string();
      return true;
    case 'l':
      in.length();
      return true;
    case '1':
      in.bytes(1);
      return true;
    case '4':
      in.bytes(4);
      return true;
    case '8':
      in.bytes(8);
      return true;
    case 'i':
      in.bytes(16);
      return true;
    case 't':
      in.score_text();
      return true;
    case 'm':
      return !in.skip_module_value();
    case '*': {
      const uint64_t count = in.length();
      if (!in.ok()) return false;
      if (count == 0) {
        skip_brackets();
        return true;
      }
      CHECK(depth_ < kDepthMax);
      ++place_;
      loops_[depth_++] = {place_ + 1, count};
      return true;
    }
    default: {
      DCHECK(pattern_[place_] == ')');
      Loop& loop = loops_[depth_ - 1];
      if (--loop.left == 0) {
        --depth_;
        return true;
      }
      place_ = loop.begin;
      return false;
    }
  }
}

// From the '*' to the bracket that closes what follows it.
void RecordScanner::skip_brackets() {
  size_t open = 0;
  do {
    ++place_;
    if (pattern_[place_] == '(') ++open;
    if (pattern_[place_] == ')') --open;
  } while (open > 0);
}

}  // namespace ouro
