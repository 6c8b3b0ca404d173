// SPDX-License-Identifier: BSD-3-Clause
#include "replication/canvass.h"

#include <utility>

#include "datastructs/codec/resp_writer.h"

namespace ouro {
namespace {

// A word and two ballots at most; an error's text is cut.
constexpr size_t kLineBytesMax = 1023;

}  // namespace

Canvass::Canvass(Heap& heap, const Ballot& ballot, bool renews, std::string over,
                 const Login& login)
    : out_(heap), marker_(marker_of(ballot)), renews_(renews), over_(std::move(over)) {
  if (!login.user.empty()) {
    say({"AUTH", login.user, login.password});
    ++passed_over_;
  } else if (!login.password.empty()) {
    say({"AUTH", login.password});
    ++passed_over_;
  }
  ask();
}

void Canvass::say(std::initializer_list<ByteView> words) {
  RespWriter writer(out_);
  writer.array(words.size());
  for (const ByteView word : words) writer.bulk(word);
}

void Canvass::ask() {
  answer_ = Answer::kNone;
  // Each time: it may have acknowledged to that one again.
  if (!over_.empty()) {
    say({"REPLCONF", "ouro-over", over_});
    ++passed_over_;
  }
  say({"REPLCONF", renews_ ? "ouro-renew" : "ouro-promise", marker_});
}

void Canvass::tell_to_follow() { say({"REPLCONF", "ouro-follow", marker_}); }

void Canvass::on_bytes(ByteView bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const ByteView part = bytes.substr(0, end);
    line_.append(part.substr(0, kLineBytesMax - line_.size()));
    if (end == ByteView::npos) return;
    bytes.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    on_line(line_);
    line_.clear();
  }
}

void Canvass::on_closed(ByteView) { is_closed_ = true; }

void Canvass::on_line(ByteView line) {
  constexpr ByteView kPromisedHead = "+PROMISED ";
  constexpr ByteView kHigherHead = "-SEENHIGHER ";
  if (passed_over_ > 0) {
    --passed_over_;
    return;
  }
  // What comes behind an answer is about following.
  if (answer_ != Answer::kNone) return;
  answer_ = Answer::kNotNow;
  if (line.starts_with(kPromisedHead)) {
    const std::optional<LogEnd> end = parse_log_end(line.substr(kPromisedHead.size()));
    if (!end) return;
    end_ = *end;
    answer_ = Answer::kPromised;
  } else if (line.starts_with(kHigherHead)) {
    const std::optional<Ballot> seen = parse_marker(line.substr(kHigherHead.size()));
    if (!seen) return;
    seen_ = *seen;
    answer_ = Answer::kSeenHigher;
  }
}

}  // namespace ouro
