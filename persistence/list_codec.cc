// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/list_codec.h"

namespace ouro {
namespace {

class ListReader {
 public:
  ListReader(RdbReader& in, const ValueTarget& to) : in_(in), to_(to) {}

  void elements() {
    std::string scratch;
    for (uint64_t left = in_.count(1); in_.ok() && left > 0; --left) {
      const ByteView element = in_.element(scratch);
      if (in_.ok()) push(element);
    }
  }
  void packed(PackedReader::Format format) {
    read_packed<1>(format, in_, [&](const auto& group) {
      PackedElement::Scratch scratch;
      push(group[0].bytes(scratch));
    });
  }
  void ziplists() {
    for (uint64_t left = in_.count(1); in_.ok() && left > 0; --left) {
      packed(PackedReader::Format::kZiplist);
    }
  }
  void nodes() {
    std::string scratch;
    for (uint64_t left = in_.count(2); in_.ok() && left > 0; --left) {
      switch (in_.length()) {
        case static_cast<uint64_t>(RdbListNode::kListpack):
          packed(PackedReader::Format::kListpack);
          break;
        case static_cast<uint64_t>(RdbListNode::kPlain): {
          const ByteView element = in_.element(scratch);
          if (in_.check(!element.empty(), "a list's plain node is empty")) push(element);
          break;
        }
        default:
          in_.refuse("a list's node is of an unknown kind");
      }
    }
  }

  List list;

 private:
  void push(ByteView element) { list.push(to_.heap, to_.limits, ListEnd::kBack, element); }

  RdbReader& in_;
  const ValueTarget& to_;
};

}  // namespace

void begin_list(size_t nodes, RdbWriter& out) { out.length(nodes); }

void write_list_node(const ListNode& node, ListpackWriter& scratch, RdbWriter& out) {
  if (node.is_plain()) {
    out.length(static_cast<uint64_t>(RdbListNode::kPlain));
    return out.string(node.blob()->view());
  }
  out.length(static_cast<uint64_t>(RdbListNode::kListpack));
  scratch.clear();
  OpenedRun opened;
  const PackedList run = node.open(opened);
  ListScratch text;
  for (PackedList::At at = run.begin(); at != run.end();) scratch.append(run.read(at, text));
  out.string(scratch.finish());
}

void begin_plain_list_node(uint64_t bytes, RdbWriter& out) {
  out.length(static_cast<uint64_t>(RdbListNode::kPlain));
  out.string_begin(bytes);
}

void write_list(const List& list, RdbWriter& out) {
  begin_list(list.node_count(), out);
  ListpackWriter scratch;
  list.for_each_node([&](const ListNode& node) { write_list_node(node, scratch, out); });
}

size_t pressed_list_bytes(const List& list) {
  size_t bytes = 0;
  list.for_each_node([&](const ListNode& node) { bytes += node.is_pressed() ? node.bytes() : 0; });
  return bytes;
}

List read_list(RdbType type, RdbReader& in, const ValueTarget& to) {
  ListReader reader(in, to);
  switch (type) {
    case RdbType::kListZiplist:
      reader.packed(PackedReader::Format::kZiplist);
      break;
    case RdbType::kListZiplists:
      reader.ziplists();
      break;
    case RdbType::kListNodes:
      reader.nodes();
      break;
    default:
      CHECK(type == RdbType::kList);
      reader.elements();
  }
  return reader.list;
}

}  // namespace ouro
