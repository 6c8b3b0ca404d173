// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/docs.h"

#include <algorithm>
#include <array>
#include <string>

#include "datastructs/codec/number_text.h"
#include "server/engine/registry.h"
#include "server/engine/reply.h"

namespace ouro {
namespace {

// A map whose pairs are counted while they are written.
class MapWriter {
 public:
  explicit MapWriter(Reply& reply) : reply_(reply), mark_(reply.begin()) {}
  Reply& key(ByteView name) {
    ++pairs_;
    reply_.bulk(name);
    return reply_;
  }
  void text_unless_empty(ByteView name, ByteView text) {
    if (!text.empty()) key(name).bulk(text);
  }
  void end() { reply_.end_map(mark_, pairs_); }

 private:
  Reply& reply_;
  Reply::Mark mark_;
  size_t pairs_ = 0;
};

void write_arguments(const std::vector<DocArgument>& arguments, Reply& reply);

void write_argument(const DocArgument& argument, Reply& reply) {
  MapWriter map(reply);
  map.key("name").bulk(argument.name);
  map.key("type").bulk(doc_type_name(argument.type));
  if (argument.key_spec_index >= 0) map.key("key_spec_index").integer(argument.key_spec_index);
  if (argument.has_token) map.key("token").bulk(argument.token);
  map.text_unless_empty("since", argument.since);
  map.text_unless_empty("deprecated_since", argument.deprecated_since);
  const int flags = argument.optional + argument.multiple + argument.multiple_token;
  if (flags > 0) {
    map.key("flags").set(static_cast<size_t>(flags));
    if (argument.optional) reply.simple("optional");
    if (argument.multiple) reply.simple("multiple");
    if (argument.multiple_token) reply.simple("multiple_token");
  }
  if (!argument.arguments.empty()) write_arguments(argument.arguments, map.key("arguments"));
  map.end();
}

void write_arguments(const std::vector<DocArgument>& arguments, Reply& reply) {
  reply.array(arguments.size());
  for (const DocArgument& argument : arguments) write_argument(argument, reply);
}

// ---- history

struct Change {
  ByteView version;
  std::string what;
};

// Versions as numbers: "7.0.3" is before "7.0.10".
std::array<int64_t, 3> parts_of(ByteView version) {
  std::array<int64_t, 3> parts{};
  for (int64_t& part : parts) {
    const size_t end = std::min(version.find('.'), version.size());
    part = parse_int64(version.substr(0, end)).value_or(0);
    version.remove_prefix(std::min(end + 1, version.size()));
  }
  return parts;
}

// Arguments that came later than what they belong to, by their words or names.
void add_arguments(const std::vector<DocArgument>& arguments, ByteView since,
                   std::vector<Change>& changes) {
  for (const DocArgument& argument : arguments) {
    const ByteView own = argument.since.empty() ? since : argument.since;
    if (parts_of(own) > parts_of(since)) {
      const auto same = std::find_if(changes.begin(), changes.end(),
                                     [&](const Change& change) { return change.version == own; });
      const ByteView word = argument.has_token ? argument.token : argument.name;
      const std::string quoted = "`" + std::string(word) + "`";
      if (same == changes.end()) {
        changes.push_back({own, "Takes " + quoted});
      } else {
        same->what += ", " + quoted;
      }
    }
    add_arguments(argument.arguments, own, changes);
  }
}

// By version; of the same version what the row says comes last.
std::vector<Change> history_of(const Doc& doc, const std::vector<DocArgument>& arguments) {
  std::vector<Change> changes;
  add_arguments(arguments, doc.since, changes);
  for (Change& change : changes) change.what += '.';
  constexpr ByteView kNext = " | ";
  for (ByteView rest = doc.history; !rest.empty();) {
    const size_t end = std::min(rest.find(kNext), rest.size());
    const size_t blank = rest.find(' ');
    CHECK(blank < end);
    changes.push_back(
        {rest.substr(0, blank), std::string(rest.substr(blank + 1, end - blank - 1))});
    rest.remove_prefix(std::min(end + kNext.size(), rest.size()));
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return parts_of(a.version) < parts_of(b.version);
  });
  return changes;
}

void write_history(const std::vector<Change>& changes, Reply& reply) {
  reply.set(changes.size());
  for (const Change& change : changes) {
    reply.array(2);
    reply.bulk(change.version);
    reply.bulk(change.what);
  }
}

}  // namespace

void write_command_docs(const Registry& registry, const CommandSpec& row, Reply& reply) {
  const Doc& doc = row.doc;
  reply.bulk(registry.full_name(row));
  MapWriter map(reply);
  map.key("summary").bulk(doc.summary);
  map.key("since").bulk(doc.since);
  map.key("group").bulk(doc.group);
  map.text_unless_empty("complexity", doc.complexity);
  const bool deprecated = !doc.deprecated_since.empty();
  const bool system = row.flags.has(Flag::kSystem);
  if (deprecated || system) {
    map.key("doc_flags").set(static_cast<size_t>(deprecated + system));
    if (deprecated) reply.simple("deprecated");
    if (system) reply.simple("syscmd");
  }
  map.text_unless_empty("deprecated_since", doc.deprecated_since);
  map.text_unless_empty("replaced_by", doc.replaced_by);
  const Result<std::vector<DocArgument>> arguments = parse_doc_arguments(doc.args);
  CHECK(arguments.is_ok());
  const std::vector<Change> history = history_of(doc, *arguments);
  if (!history.empty()) write_history(history, map.key("history"));
  if (!arguments.value().empty()) write_arguments(*arguments, map.key("arguments"));
  if (!row.subcommands.empty()) {
    map.key("subcommands").map(row.subcommands.size());
    for (const CommandSpec& subcommand : row.subcommands)
      write_command_docs(registry, subcommand, reply);
  }
  map.end();
}

}  // namespace ouro
