// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/function_payload.h"

#include "persistence/dump_payload.h"

namespace ouro {

std::string write_function_payload(const std::vector<ByteView>& sources) {
  std::string out;
  RdbWriter writer(out, RdbWriter::Packing::kNone);
  for (const ByteView source : sources) {
    writer.opcode(RdbOpcode::kFunction);
    writer.string(source);
  }
  seal_payload(writer.needs_version(), out);
  return out;
}

bool read_function_payload(ByteView payload, std::vector<std::string>& sources,
                           std::string& error) {
  const auto body = open_payload(payload);
  if (!body) {
    error = "DUMP payload version or checksum are wrong";
    return false;
  }
  std::string scratch;
  for (RdbReader in(*body); in.left() > 0;) {
    const auto opcode = static_cast<RdbOpcode>(in.byte());
    if (opcode == RdbOpcode::kFunctionOfCandidates) {
      error = "Pre-GA function format not supported";
      return false;
    }
    if (opcode != RdbOpcode::kFunction) {
      error = "given type is not a function";
      return false;
    }
    sources.emplace_back(in.string(scratch));
    if (!in.ok()) {
      error = "Failed loading library data";
      return false;
    }
  }
  return true;
}

}  // namespace ouro
