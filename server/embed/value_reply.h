// SPDX-License-Identifier: BSD-3-Clause
// Replies as values, for a caller who is in the same process. Both sinks speak RESP3.
//   ScalarReply   one number or string; a string goes straight into the caller's result
//   ValueReply    any reply, as an Answer tree
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/check.h"
#include "server/embed/ouro.h"
#include "server/engine/reply.h"

namespace ouro {

// What both have in common: kinds of strings that a host need not tell apart.
class HostReply : public Reply {
 public:
  bool is_resp3() const final { return true; }
  void simple(ByteView text) final { bulk(text); }
  void blob(Blob* blob, ByteView part) final;
  void null_array() final { null(); }
  void push(size_t count) final { array(count); }
  void big_number(ByteView digits) final { bulk(digits); }
  void verbatim(ByteView, ByteView text) final { bulk(text); }
};

class ScalarReply final : public HostReply {
 public:
  enum class Kind : uint8_t { kNone, kNull, kInteger, kReal, kText, kError, kAggregate };

  // A string is assigned to `text`, which may be null when none is wanted; so is an error's text,
  // to `failure`.
  ScalarReply(std::string* text, std::string& failure) : text_(text), failure_(failure) {}

  Kind kind() const { return kind_; }
  int64_t number() const { return number_; }
  double real_number() const { return real_; }

  void error(ByteView text) override {
    if (take(Kind::kError)) failure_.assign(text);
  }
  void integer(int64_t value) override {
    if (take(Kind::kInteger)) number_ = value;
  }
  void bulk(ByteView bytes) override {
    if (take(Kind::kText) && text_ != nullptr) text_->assign(bytes);
  }
  void null() override { take(Kind::kNull); }
  void real(double value) override {
    if (take(Kind::kReal)) real_ = value;
  }
  void boolean(bool value) override {
    if (take(Kind::kInteger)) number_ = value ? 1 : 0;
  }
  void array(size_t) override { take(Kind::kAggregate); }
  void map(size_t) override { take(Kind::kAggregate); }
  void set(size_t) override { take(Kind::kAggregate); }
  void attribute(size_t) override { take(Kind::kAggregate); }
  Mark begin() override {
    take(Kind::kAggregate);
    return 0;
  }
  void end_array(Mark, size_t) override {}
  void end_map(Mark, size_t) override {}
  void end_set(Mark, size_t) override {}

 private:
  // The first element is the reply; what follows stands inside an aggregate.
  bool take(Kind kind) {
    if (kind_ != Kind::kNone) return false;
    kind_ = kind;
    return true;
  }

  std::string* text_;
  std::string& failure_;
  Kind kind_ = Kind::kNone;
  int64_t number_ = 0;
  double real_ = 0;
};

class ValueReply final : public HostReply {
 public:
  // What was written. Requires a whole reply.
  Answer take() {
    CHECK(open_.empty());
    return std::move(root_);
  }

  void error(ByteView text) override { add(Answer::Kind::kError).text.assign(text); }
  void integer(int64_t value) override { add(Answer::Kind::kInteger).integer = value; }
  void bulk(ByteView bytes) override { add(Answer::Kind::kString).text.assign(bytes); }
  void null() override { add(Answer::Kind::kNil); }
  void real(double value) override { add(Answer::Kind::kReal).real = value; }
  void boolean(bool value) override { add(Answer::Kind::kBoolean).integer = value ? 1 : 0; }
  void array(size_t count) override { open(Answer::Kind::kArray, count); }
  void map(size_t pairs) override { open(Answer::Kind::kMap, pairs * 2); }
  void set(size_t count) override { open(Answer::Kind::kSet, count); }
  // Says something about the element behind it, which a host has no use for.
  void attribute(size_t pairs) override;
  Mark begin() override;
  void end_array(Mark mark, size_t count) override { end(mark, Answer::Kind::kArray, count); }
  void end_map(Mark mark, size_t pairs) override { end(mark, Answer::Kind::kMap, pairs * 2); }
  void end_set(Mark mark, size_t count) override { end(mark, Answer::Kind::kSet, count); }

 private:
  static constexpr size_t kUncounted = SIZE_MAX;
  // An aggregate that lacks elements. The node stays where it is: its parent grows no more before
  // it is whole.
  struct Open {
    Answer* node;
    size_t count;
  };

  Answer& add(Answer::Kind kind);
  void open(Answer::Kind kind, size_t count);
  void end(Mark mark, Answer::Kind kind, size_t count);
  void close_whole();

  Answer root_;
  Answer dropped_;  // an attribute's elements
  std::vector<Open> open_;
};

}  // namespace ouro
