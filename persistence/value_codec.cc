// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/value_codec.h"

#include "persistence/hash_codec.h"
#include "persistence/list_codec.h"
#include "persistence/made_value.h"
#include "persistence/module_id.h"
#include "persistence/set_codec.h"
#include "persistence/sketch_codec.h"
#include "persistence/stream_codec.h"
#include "persistence/timed_codec.h"
#include "persistence/zset_codec.h"

namespace ouro {
namespace {

std::optional<Value> read_string(RdbReader& in, const ValueTarget& to) {
  std::string scratch;
  const ByteView text = in.string(scratch);
  if (!in.ok()) return std::nullopt;
  if (const auto number = parse_int64(text)) {
    return Value{.kind = Kind::kInt, .payload = static_cast<uint64_t>(*number)};
  }
  return Value{.kind = Kind::kBlob,
               .payload = reinterpret_cast<uint64_t>(Blob::create_from(to.heap, text))};
}

template <class Sketch>
std::optional<Value> made_sketch(std::optional<Sketch> sketch, RdbReader& in, Heap& heap) {
  if (!sketch) return std::nullopt;
  return made_value(*sketch, in, heap);
}

std::optional<Value> read_module_value(RdbReader& in, const ValueTarget& to) {
  const uint64_t id = in.length();
  if (!in.ok()) return std::nullopt;
  switch (id) {
    case kBloomModule:
      return made_sketch(read_bloom(in, to.heap), in, to.heap);
    case kCuckooModule:
      return made_sketch(read_cuckoo(in, to.heap), in, to.heap);
    case kCountMinModule:
      return made_sketch(read_count_min(in, to.heap), in, to.heap);
    case kTopKModule:
      return made_sketch(read_top_k(in, to.heap), in, to.heap);
    case kTDigestModule:
      return made_sketch(read_t_digest(in, to.heap), in, to.heap);
    case kOuroModule:
      return read_timed(in, to);
    default:
      in.refuse("a value of an unknown module, or of an unknown version of one");
      return std::nullopt;
  }
}

std::optional<Value> read_module(RdbReader& in, const ValueTarget& to) {
  std::optional<Value> value = read_module_value(in, to);
  if (!value) return std::nullopt;
  in.module_end();
  if (in.ok()) return value;
  size_t budget = SIZE_MAX;
  value->free_some(to.heap, budget);
  return std::nullopt;
}

const char* encoding_name(RdbType type) {
  switch (type) {
    case RdbType::kString:
      return "String";
    case RdbType::kList:
      return "List";
    case RdbType::kListZiplist:
    case RdbType::kListZiplists:
      return "List ziplist";
    case RdbType::kListNodes:
      return "List listpack";
    case RdbType::kSet:
      return "Set";
    case RdbType::kSetIntset:
      return "Intset";
    case RdbType::kSetListpack:
      return "Set listpack";
    case RdbType::kZSetText:
    case RdbType::kZSet:
      return "Zset";
    case RdbType::kZSetZiplist:
      return "Zset ziplist";
    case RdbType::kZSetListpack:
      return "Zset listpack";
    case RdbType::kHash:
    case RdbType::kHashTimedOld:
    case RdbType::kHashTimed:
      return "Hash";
    case RdbType::kHashZipmap:
      return "Zipmap";
    case RdbType::kHashZiplist:
      return "Hash ziplist";
    case RdbType::kHashListpack:
    case RdbType::kHashTimedListpackOld:
    case RdbType::kHashTimedListpack:
      return "Hash listpack";
    case RdbType::kStream1:
    case RdbType::kStream2:
    case RdbType::kStream3:
      return "Stream listpack";
    case RdbType::kModuleOld:
    case RdbType::kModule:
      return "Module value";
  }
  return "Value";
}

}  // namespace

RdbType rdb_type_of(const Entry& entry) {
  switch (entry.type()) {
    case Type::kString:
      return RdbType::kString;
    case Type::kList:
      return RdbType::kListNodes;
    case Type::kSet:
      return entry.has_timed_members() ? RdbType::kModule : type_of_set(entry.as<Set>());
    case Type::kZSet:
      return entry.has_timed_members() ? RdbType::kModule : type_of_zset(entry.as<ZSet>());
    case Type::kHash:
      return type_of_hash(entry.as<Hash>());
    case Type::kStream:
      return is_only_ours(entry.as<Stream>()) ? RdbType::kModule : RdbType::kStream2;
    case Type::kBloom:
    case Type::kCuckoo:
    case Type::kCountMin:
    case Type::kTopK:
    case Type::kTDigest:
      return RdbType::kModule;
  }
  OURO_UNREACHABLE();
}

void write_value(const Entry& entry, RdbType type, RdbWriter& out) {
  switch (entry.kind()) {
    case Kind::kInt:
    case Kind::kEmbedded:
    case Kind::kBlob: {
      NumberText scratch;
      return out.string(entry.text(scratch));
    }
    case Kind::kList:
      return write_list(entry.as<List>(), out);
    case Kind::kSet:
      return type == RdbType::kModule ? write_timed(entry.as<Set>(), out)
                                      : write_set(entry.as<Set>(), out);
    case Kind::kZSet:
      return type == RdbType::kModule ? write_timed(entry.as<ZSet>(), out)
                                      : write_zset(entry.as<ZSet>(), out);
    case Kind::kHash:
      return write_hash(entry.as<Hash>(), type, out);
    case Kind::kStream:
      return type == RdbType::kModule ? write_timed(entry.as<Stream>(), out)
                                      : write_stream(entry.as<Stream>(), out);
    case Kind::kBloom:
      return write_sketch(entry.as<Bloom>(), out);
    case Kind::kCuckoo:
      return write_sketch(entry.as<Cuckoo>(), out);
    case Kind::kCountMin:
      return write_sketch(entry.as<CountMin>(), out);
    case Kind::kTopK:
      return write_sketch(entry.as<TopK>(), out);
    case Kind::kTDigest:
      return write_sketch(entry.as<TDigest>(), out);
  }
}

uint64_t written_array_bytes(const Entry& entry) {
  switch (entry.kind()) {
    case Kind::kBloom:
      return entry.as<Bloom>().reported_bytes();
    case Kind::kCuckoo:
      return entry.as<Cuckoo>().reported_bytes();
    case Kind::kCountMin:
      return entry.as<CountMin>().counter_bytes();
    case Kind::kTopK:
      return entry.as<TopK>().cell_bytes();
    default:
      return 0;
  }
}

std::optional<Value> read_value(RdbType type, RdbReader& in, const ValueTarget& to) {
  switch (type) {
    case RdbType::kString:
      return read_string(in, to);
    case RdbType::kList:
    case RdbType::kListZiplist:
    case RdbType::kListZiplists:
    case RdbType::kListNodes:
      return made_collection(read_list(type, in, to), in, to.heap);
    case RdbType::kSet:
    case RdbType::kSetIntset:
    case RdbType::kSetListpack:
      return made_collection(read_set(type, in, to), in, to.heap);
    case RdbType::kZSetText:
    case RdbType::kZSet:
    case RdbType::kZSetZiplist:
    case RdbType::kZSetListpack:
      return made_collection(read_zset(type, in, to), in, to.heap);
    case RdbType::kHash:
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kHashTimedOld:
    case RdbType::kHashTimedListpackOld:
    case RdbType::kHashTimed:
    case RdbType::kHashTimedListpack:
      return made_collection(read_hash(type, in, to), in, to.heap);
    case RdbType::kStream1:
    case RdbType::kStream2:
    case RdbType::kStream3:
      return made_value(read_stream(type, in, to), in, to.heap);
    case RdbType::kModule:
      return read_module(in, to);
    case RdbType::kModuleOld:
      in.refuse("a value as modules once wrote it, which none but its module can read");
      return std::nullopt;
  }
  in.refuse("a value of an unknown type");
  return std::nullopt;
}

std::string describe_refusal(RdbType type, const RdbReader& in) {
  return std::string(encoding_name(type)) + " integrity check failed: " + in.reason();
}

}  // namespace ouro
