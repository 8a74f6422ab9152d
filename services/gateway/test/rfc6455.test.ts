// RFC 6455, case by case, with bare TCP: the answer to valid, unusual and invalid frames.
//
// A message that reaches the gateway is answered: our `ping` with `pong`, any other text with
// `error`. A case that deviates from the RFC gives the reason in its title; no other case may
// deviate.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { bareSocket } from "./bare-socket.ts";
import { SocketFixture } from "./socket-fixture.ts";
import { closeFrame, frame, OP, wordsOf } from "./wire-frames.ts";

interface Case {
  readonly what: string;
  readonly send: readonly Buffer[];
  /** The answer that the RFC requires, in the words of wire-frames.ts. */
  readonly expected: readonly string[];
  /** The deviating answer, and the reason for it. */
  readonly ours?: { readonly words: readonly string[]; readonly why: string };
  /** Each byte is one write. */
  readonly byBytes?: boolean;
}

const TOO_LONG = "a message is at most 64 KiB (F5)";
const NOT_FAST = "UTF-8 is checked when the message is complete, and no part of it is used before";
const HELLO = '{"t":"hello","token":"ada"}';
const PING = '{"t":"ping","ref":1}';
const ping = (padding: number): string => PING + " ".repeat(Math.max(0, padding - PING.length));
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const text = (payload: Uint8Array | string, fin = true): Buffer => frame(OP.text, payload, { fin });
const more = (payload: Uint8Array | string, fin = true): Buffer =>
  frame(OP.continuation, payload, { fin });
const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

const cases: Case[] = [];
function add(what: string, send: readonly Buffer[], ...expected: string[]): void {
  cases.push({ what, send, expected });
}

// Lengths and masks.
for (const length of [20, 125, 126, 127, 128, 65_535, 65_536]) {
  add(`a text of ${length} bytes`, [text(ping(length))], "pong");
}
add("a text of no bytes", [text("")], "error");
for (const length of [65_537, 131_072, 1_048_576]) {
  cases.push({
    what: `a text of ${length} bytes`,
    send: [text(ping(length))],
    expected: ["pong"],
    ours: { words: ["close 1009"], why: TOO_LONG },
  });
}
cases.push({
  what: "a length with its highest bit set",
  send: [frame(OP.text, "", { length: 1n << 63n })],
  expected: ["close 1002"],
  ours: { words: ["close 1009"], why: TOO_LONG },
});
for (const length of [20, 126, 300]) {
  cases.push({
    what: `a text of ${length} bytes, byte by byte`,
    send: [text(ping(length))],
    expected: ["pong"],
    byBytes: true,
  });
}
for (const lengthBytes of [2, 8] as const) {
  add(
    `a length in ${lengthBytes} bytes where one is enough`,
    [frame(OP.text, PING, { lengthBytes })],
    "pong",
  );
}
for (const [name, mask] of [
  ["of zeros", hex("00000000")],
  ["of ones", hex("ffffffff")],
] as const) {
  add(`a mask ${name}`, [frame(OP.text, PING, { mask })], "pong");
}
for (const [name, opcode] of Object.entries(OP)) {
  add(`a ${name} without a mask`, [frame(opcode, "", { mask: undefined })], "close 1002");
}
for (const length of [0, 125, 65_536]) {
  add(
    `a binary message of ${length} bytes: this protocol has none`,
    [frame(OP.binary, Buffer.alloc(length))],
    "close 1008",
  );
}

// Pings and pongs.
for (const payload of ["", "00", "616263", "00ff".repeat(62) + "00"]) {
  add(
    `a ping of ${payload.length / 2} bytes`,
    [frame(OP.ping, hex(payload))],
    `pong ${payload}`.trim(),
  );
}
add("a ping of 126 bytes", [frame(OP.ping, Buffer.alloc(126))], "close 1002");
add("a pong of 126 bytes", [frame(OP.pong, Buffer.alloc(126))], "close 1002");
add("an unrequested pong", [frame(OP.pong, "x"), text(PING)], "pong");
add(
  "ten pings",
  times(10, (n) => frame(OP.ping, Buffer.of(n))),
  ...times(10, (n) => `pong 0${n}`),
);
cases.push({
  what: "a ping byte by byte",
  send: [frame(OP.ping, "ab")],
  expected: ["pong 6162"],
  byBytes: true,
});
for (const [name, opcode] of [
  ["ping", OP.ping],
  ["pong", OP.pong],
  ["close", OP.close],
] as const) {
  add(`a ${name} in fragments`, [frame(opcode, "", { fin: false })], "close 1002");
}

// Reserved bits and opcodes.
for (let rsv = 1; rsv <= 7; rsv++) {
  for (const [name, opcode] of [
    ["text", OP.text],
    ["ping", OP.ping],
    ["close", OP.close],
    ["pong", OP.pong],
  ] as const) {
    add(`a ${name} with the reserved bits ${rsv}`, [frame(opcode, "", { rsv })], "close 1002");
  }
}
add(
  "a continuation with a reserved bit",
  [text("{", false), frame(OP.continuation, "}", { rsv: 4 })],
  "close 1002",
);
for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
  add(`the reserved opcode ${opcode}`, [frame(opcode)], "close 1002");
  add(
    `the reserved opcode ${opcode} with a payload, inside a message`,
    [text("{", false), frame(opcode, "xyz")],
    "close 1002",
  );
}

// Fragments.
const [head, tail] = [PING.slice(0, 9), PING.slice(9)];
add("a text in two fragments", [text(head, false), more(tail)], "pong");
add(
  "a text in as many fragments as bytes",
  [text(PING[0]!, false), ...times(PING.length - 2, (n) => more(PING[n + 1]!, false)), more("}")],
  "pong",
);
add("empty fragments around a text", [text("", false), more(PING, false), more("")], "pong");
add("three empty fragments", [text("", false), more("", false), more("")], "error");
add(
  "a ping between two fragments",
  [text(head, false), frame(OP.ping, "p"), more(tail)],
  "pong 70",
  "pong",
);
add("a pong between two fragments", [text(head, false), frame(OP.pong, "p"), more(tail)], "pong");
add(
  "pings between many fragments",
  [
    text("", false),
    ...times(5, (n) => [frame(OP.ping, Buffer.of(n)), more("", false)]).flat(),
    more(PING),
  ],
  ...times(5, (n) => `pong 0${n}`),
  "pong",
);
add(
  "a close between two fragments",
  [text(head, false), closeFrame(1000), more(tail)],
  "close 1000",
);
add("a continuation without a message", [more(PING)], "close 1002");
add("an unfinished continuation without a message", [more(PING, false)], "close 1002");
add("a continuation after the last one", [text(head, false), more(tail), more("x")], "close 1002");
add("a text inside a text", [text(head, false), text(PING)], "close 1002");
add("a binary inside a text", [text(head, false), frame(OP.binary, "x")], "close 1002");
add("64 fragments", [text(PING, false), ...times(62, () => more(" ", false)), more(" ")], "pong");
add(
  "65 fragments: this gateway accepts 64",
  [text(PING, false), ...times(63, () => more(" ", false)), more(" ")],
  "close 1008",
);
add(
  "a million fragments",
  [text("{", false), ...times(20, () => Buffer.concat(times(50_000, () => more("", false))))],
  "close 1008",
);
cases.push({
  what: "fragments of 80 KiB together",
  send: [text(PING, false), ...times(4, () => more(" ".repeat(20 * 1024), false)), more("")],
  expected: ["pong"],
  ours: { words: ["close 1009"], why: TOO_LONG },
});
cases.push({
  what: "two fragments byte by byte",
  send: [text(head, false), more(tail)],
  expected: ["pong"],
  byBytes: true,
});

// UTF-8. Valid text is a message, here one that is not JSON.
const VALID = [
  "7f",
  "c2 80",
  "df bf",
  "e0 a0 80",
  "ef bf bf",
  "ef bf be",
  "f0 90 80 80",
  "f4 8f bf bf",
  "ed 9f bf",
  "ee 80 80",
  "ef bf bd",
  "ef bb bf 78",
  "ce ba e1 bd b9 cf 83 ce bc ce b5",
  "f0 9f bf be",
];
const INVALID = [
  ["a continuation byte alone", ["80", "bf", "80 bf", "78 80 78"]],
  ["a first byte alone", ["c2 20", "e0 20", "f0 20", "c2", "e0", "f0"]],
  ["a sequence that ends too early", ["e0 a0", "f0 90 80", "ef bf", "f7 bf bf", "78 ce"]],
  [
    "a byte that no sequence has",
    ["fe", "ff", "fe fe ff ff", "f8 88 80 80 80", "fc 84 80 80 80 80"],
  ],
  [
    "a sequence longer than necessary",
    ["c0 af", "e0 80 af", "f0 80 80 af", "c1 bf", "e0 9f bf", "f0 8f bf bf", "c0 80"],
  ],
  ["a surrogate", ["ed a0 80", "ed bf bf", "ed a0 80 ed b0 80", "ed ad bf ed bf bf"]],
  ["a code point that is too large", ["f4 90 80 80", "f5 80 80 80"]],
] as const;
for (const bytes of VALID) add(`valid UTF-8: ${bytes}`, [text(hex(bytes))], "error");
for (const [name, list] of INVALID) {
  for (const bytes of list) add(`${name}: ${bytes}`, [text(hex(bytes))], "close 1007");
}
for (const at of [1, 2, 3]) {
  const face = hex("f0 9f 98 80");
  add(
    `a code point cut after byte ${at}, across fragments`,
    [text(face.subarray(0, at), false), more(face.subarray(at))],
    "error",
  );
}
add(
  "a code point in four fragments with pings between",
  [
    text(hex("f0"), false),
    frame(OP.ping),
    more(hex("9f"), false),
    more(hex("98"), false),
    more(hex("80")),
  ],
  "pong",
  "error",
);
cases.push({
  what: "valid UTF-8 byte by byte",
  send: [text("κόσμε")],
  expected: ["error"],
  byBytes: true,
});
add("invalid UTF-8 in the last fragment", [text("κόσ", false), more(hex("ff"))], "close 1007");
add(
  "a code point that the message does not finish",
  [text("κόσ", false), more(hex("ce"))],
  "close 1007",
);
for (const [name, send] of [
  ["in the first of two fragments", [text(hex("ff"), false)]],
  ["in a fragment in the middle", [text("κ", false), more(hex("ed a0 80"), false)]],
] as const) {
  cases.push({
    what: `invalid UTF-8 ${name}, before the last one arrives`,
    send,
    expected: ["close 1007"],
    ours: { words: [], why: NOT_FAST },
  });
}

// Closing.
add("a close without a code", [frame(OP.close)], "close 1005");
add("a close of one byte", [frame(OP.close, Buffer.of(3))], "close 1002");
for (const code of [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
]) {
  add(`a close with ${code}`, [closeFrame(code)], `close ${code}`);
}
for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
  add(`a close with ${code}, which no endpoint may send`, [closeFrame(code)], "close 1002");
}
add("a close with a reason of 123 bytes", [closeFrame(1000, "x".repeat(123))], "close 1000");
add("a close with a reason of 124 bytes", [closeFrame(1000, "x".repeat(124))], "close 1002");
add("a close whose reason is not UTF-8", [closeFrame(1000, hex("ce ba ff"))], "close 1007");
add("a ping after the close", [closeFrame(1000), frame(OP.ping, "x")], "close 1000");
add("a text after the close", [closeFrame(1000), text(PING)], "close 1000");
add("a second close", [closeFrame(1000), closeFrame(1001)], "close 1000");

/** The answers to a case, until the connection closes or the answers are complete. */
async function play(fixture: SocketFixture, { send, byBytes = false }: Case): Promise<string[]> {
  const socket = await bareSocket(fixture);
  const got: Buffer[] = [];
  let isOver = false;
  socket.on("data", (bytes: Buffer) => got.push(bytes));
  socket.on("error", () => {}); // A reset after the close frame counts as an end.
  socket.on("close", () => (isOver = true));
  const words = (): string[] => wordsOf(Buffer.concat(got));
  const saw = (word: string): Promise<void> =>
    until(() => isOver || words().includes(word), { withinMs: 20_000, what: word });
  socket.write(text(HELLO));
  await saw("welcome");
  for (const bytes of send) {
    if (!byBytes) socket.write(bytes);
    else {
      for (const byte of bytes) {
        socket.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
    }
  }
  // Twice: frames that the first one overtook have left before the second is answered.
  for (const mark of ["e1", "e2"]) {
    if (!isOver) socket.write(frame(OP.ping, hex(mark)));
    await saw(`pong ${mark}`);
  }
  socket.destroy();
  // The gateway's own pings ("9") follow the clock, also on a slow machine.
  return words().filter((word) => !["welcome", "pong e1", "pong e2", "9"].includes(word));
}

describe("RFC 6455", function () {
  this.timeout(120_000);
  let fixture: SocketFixture;

  before(async () => {
    fixture = await SocketFixture.open();
  });
  after(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  for (const [n, each] of cases.entries()) {
    const deviates = each.ours === undefined ? "" : ` (deviates: ${each.ours.why})`;
    it(`F10: ${n + 1}. ${each.what}${deviates}`, async () => {
      const words = await play(fixture, each);
      // The order between the library's pongs and our answers at the end of the iteration is
      // undefined.
      expect(words.toSorted()).to.deep.equal([...(each.ours?.words ?? each.expected)].toSorted());
    });
  }

  it("F10: only lengths above the limit and late UTF-8 deviate, and another client is not affected", async () => {
    const reasons = new Set(cases.flatMap(({ ours }) => (ours === undefined ? [] : [ours.why])));
    expect([...reasons].toSorted()).to.deep.equal([NOT_FAST, TOO_LONG].toSorted());
    expect(cases.length).to.be.at.least(160);
    expect(cases.filter(({ ours }) => ours !== undefined)).to.have.length(7);
    expect((await (await fixture.connect("bob")).ask({ t: "ping" })).t).to.equal("pong");
  });
});
