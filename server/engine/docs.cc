// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/docs.h"

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
  if (!arguments.value().empty()) write_arguments(*arguments, map.key("arguments"));
  if (!row.subcommands.empty()) {
    map.key("subcommands").map(row.subcommands.size());
    for (const CommandSpec& subcommand : row.subcommands)
      write_command_docs(registry, subcommand, reply);
  }
  map.end();
}

}  // namespace ouro
