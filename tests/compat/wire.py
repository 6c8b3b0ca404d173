# SPDX-License-Identifier: BSD-3-Clause
"""Random bytes as a client might write them: commands as arrays and as lines, halves of them, and damaged ones.

Not here: what is longer than one read of a server's. A server that ends the connection over its beginning resets it for the
rest, and the client may lose the error. Zero bytes: Redis looks for the end of a line by strchr, and waits for it behind one.
Counts of arguments that Redis takes and ouro bounds. Long replies, of which Redis drops what it has not written when it reads
that the client's side has ended; so the keys are of this family alone, and small. POST and HOST:, on which Redis's timer may
end the connection before the replies in front are written. No command here is one letter away from a dangerous one.
"""
from resp import encode

LINES = [b"PING", b"ping  hello", b" \tPING", b"", b" ", b"SET wire:1 'a b'", b'SET wire:1 "\\x41\\n\\"\\q"',
         b"GET wire:1", b"ECHO 'it\\'s'", b"ECHO \"a\"b", b"ECHO 'a", b'ECHO "a', b'ECHO "\\x4"', b"ECHO a'b'", b"ECHO ''",
         b"LPUSH wire:3 a b c", b"NOSUCH \xff\x01", b"MULTI", b"EXEC", b"QUIT", b"GET", b"*", b"$3"]
COMMANDS = [["PING"], ["PING", "x"], ["SET", "wire:1", "value"], ["SET", "wire:2", "x" * 300], ["GET", "wire:1"],
            ["ECHO", "a\r\nb"], ["LPUSH", "wire:3", "a", "b"], ["LRANGE", "wire:3", "0", "9"], ["MULTI"], ["EXEC"], ["QUIT"],
            ["SELECT", "1"], ["RESET"], ["SUBSCRIBE", "a"], ["HELLO", "3"], ["HELLO", "2"], ["CLIENT", "REPLY", "OFF"],
            ["CLIENT", "SETNAME", "x"], ["CLIENT", "GETNAME"], ["BLPOP", "none", "0"], ["NOSUCH", "a"],
            ["GET"], [""]]
# In Redis an empty command behind it is the one that is not answered.
SKIP = encode(["CLIENT", "REPLY", "SKIP"])
COUNTS = [b"0", b"-1", b"1", b"2", b"3", b"abc", b"", b"1048576", b"2147483648", b"9223372036854775808", b"01", b"+1", b" 1",
          b"1 ", b"-10", b"1" * 70]
SIZES = COUNTS + [b"1048577", b"536870912", b"536870913"]


def damaged(draw, data):
    """The bytes with one of them changed, gone or doubled. Not of EXEC: with more words it is one of ouro's, not of 7.0's."""
    if b"EXEC" in data:
        return data
    at = draw.between(0, len(data) - 1) if data else 0
    form = draw.between(0, 2)
    middle = b"" if form == 0 else data[at:at + 1] * 2 if form == 1 else bytes([draw.between(1, 255)])
    return data[:at] + middle + data[at + 1:]


class Bytes:
    def __init__(self, draw):
        self.draw = draw
        self.pick, self.chance = draw.pick, draw.chance

    def draw_some(self):
        return b"".join(self.piece() for _ in range(self.draw.between(1, 5)))

    def piece(self):
        form = self.draw.random.random()
        if form < 0.35:
            return encode(self.pick(COMMANDS))
        if form < 0.65:
            return self.pick(LINES) + (b"\r\n" if self.chance(0.7) else b"\n")
        if form < 0.68:
            return SKIP + self.pick((encode(["PING"]), b"*x\r\n", b"ECHO 'a\r\n", b"QUIT\r\n"))
        if form < 0.8:
            return damaged(self.draw, encode(self.pick(COMMANDS)))
        if form < 0.9:
            return b"*" + self.pick(COUNTS) + b"\r\n$4\r\nPING\r\n"
        return b"*2\r\n$4\r\nECHO\r\n" + self.pick((b"$", b"$", b"$", b":", b"", b"\r\n")) + self.pick(SIZES) + b"\r\nab\r\n"
