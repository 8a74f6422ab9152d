// RoomForm: the dialog has the settings of a room, and offers times that a room takes.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { changeOf, editWindows, formOf, slowModes } from "../store/room-form.ts";

interface Described {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The fields of `PATCH /v1/rooms/{room}`. */
function settable(): Readonly<Record<string, Described>> {
  const text = readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8");
  const { paths } = JSON.parse(text);
  const { content } = paths["/v1/rooms/{room}"].patch.requestBody;
  return content["application/json"].schema.properties;
}

describe("room form", () => {
  it("M10, C3, room-form.1: the dialog has every setting of a room but its avatar", () => {
    const { avatar, id: _, ...shown } = settable();
    expect(avatar).to.be.an("object");
    expect(Object.keys(formOf(undefined)).sort()).to.deep.equal(Object.keys(shown).sort());
  });

  it("room-form.2: a change names only what was changed", () => {
    const settings = { kind: "open", title: "Tea", slowMode: 7 } as const;
    const start = formOf(settings);
    expect(changeOf(start, start)).to.deep.equal({});
    expect(changeOf(start, { ...start, editWindow: 60 })).to.deep.equal({ editWindow: 60 });
    expect(changeOf(start, { ...start, title: "", slowMode: 0 })).to.deep.equal({
      title: "",
      slowMode: 0,
    });
  });

  it("room-form.3: each offered time is one that a room takes, and the present one is offered", () => {
    const { slowMode = {}, editWindow = {} } = settable();
    const form = formOf({ kind: "open", slowMode: 7, editWindow: 90 });
    const cases = [
      [slowModes(form), slowMode, 7],
      [editWindows(form), editWindow, 90],
    ] as const;
    for (const [times, { minimum, maximum }, present] of cases) {
      expect(times).to.include.members([0, present]);
      expect(times).to.deep.equal([...times].sort((a, b) => a - b));
      expect(times[0]).to.equal(minimum);
      expect(times.at(-1)).to.be.at.most(maximum ?? 0);
    }
  });
});
