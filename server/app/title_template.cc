// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/title_template.h"

namespace ouro {
namespace {

std::optional<ByteView> fact(ByteView name, const TitleFacts& facts) {
  if (name == "title") return facts.title;
  if (name == "listen-addr") return facts.listen_addr;
  if (name == "server-mode") return facts.server_mode;
  if (name == "port") return facts.port;
  if (name == "tls-port") return facts.tls_port;
  if (name == "unixsocket") return facts.unixsocket;
  if (name == "config-file") return facts.config_file;
  return std::nullopt;
}

std::string without_outer_blanks(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::optional<std::string> expand_title(ByteView text, const TitleFacts& facts) {
  std::string title;
  for (size_t open = text.find('{'); open != ByteView::npos; open = text.find('{')) {
    title.append(text.substr(0, open));
    text.remove_prefix(open + 1);
    if (text.starts_with('{')) {
      title.push_back('{');
      text.remove_prefix(1);
      continue;
    }
    const size_t close = text.find('}');
    if (close == ByteView::npos) return std::nullopt;
    const auto value = fact(text.substr(0, close), facts);
    if (!value) return std::nullopt;
    title.append(*value);
    text.remove_prefix(close + 1);
  }
  return without_outer_blanks(title.append(text));
}

}  // namespace ouro
