// `parley search`: the line of one found message.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { foundLine } from "../search.ts";

describe("parley search", () => {
  it("shows the found words between «», and no control character", () => {
    const place = { room: "general" as RoomId, seq: 3, from: "ben" as UserId, at: 0 };
    const text = "green\u001b tea, green";
    const line = foundLine({
      ...place,
      text,
      highlights: [
        [0, 5],
        [12, 17],
      ],
    });
    expect(line).to.match(
      /^general#3 {2}1970-01-01T00:00:00.000Z {2}ben: «green».* tea, «green»$/u,
    );
    expect(line).to.not.contain("\u001b");
  });
});
