// Tables: both halves of the codec against each other, and JSON of any shape.

import { expect } from "chai";
import * as fc from "fast-check";
import {
  decodeTableChange,
  decodeTablePage,
  decodeTableRequest,
  encodeTableChange,
  encodeTablePage,
  encodeTableRequest,
  TABLE_PAGE_ROWS_MAX,
  TABLE_TEXT_UNITS_MAX,
} from "../tables.ts";

const revision = fc.nat();
const row = fc.record({
  key: fc.string({ minLength: 1, maxLength: 20 }),
  text: fc.option(fc.string({ maxLength: 50 }), { nil: undefined }),
  revision,
});
const rows = fc.array(row, { maxLength: TABLE_PAGE_ROWS_MAX });
const born = fc.string({ maxLength: 30 });
const change = fc
  .record({ born, rows, previous: revision, step: fc.nat(1_000) })
  .map(({ step, previous, ...rest }) => ({ ...rest, previous, revision: previous + step }));
const page = fc
  .record({ born, rows, revision, more: fc.boolean() })
  .map((value) => ({ ...value, more: value.more && value.rows.length > 0 }));
const decoders = [decodeTableChange, decodeTablePage, decodeTableRequest] as const;

describe("Tables: the codec", () => {
  it("N5: decodes each message as it was encoded", () => {
    fc.assert(
      fc.property(change, page, row, (changed, paged, { key }) => {
        expect(decodeTableChange(encodeTableChange(changed))).to.deep.equal(changed);
        expect(decodeTablePage(encodeTablePage(paged))).to.deep.equal(paged);
        expect(decodeTableRequest(encodeTableRequest({ behind: key }))).to.deep.equal({
          behind: key,
        });
        expect(decodeTableRequest(encodeTableRequest({}))).to.deep.equal({});
      }),
    );
  });

  it("N5: refuses another version and any other JSON, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        for (const decode of decoders) {
          const decoded = decode(text);
          expect(decoded === undefined || (JSON.parse(text) as { v: unknown }).v === 1).to.equal(
            true,
          );
        }
      }),
    );
    for (const text of [
      encodeTableChange({ born: "", revision: 1, previous: 1, rows: [] }),
      encodeTablePage({ born: "", revision: 1, rows: [], more: false }),
      encodeTableRequest({}),
    ]) {
      for (const decode of decoders)
        expect(decode(text.replace('"v":1', '"v":2'))).to.equal(undefined);
    }
  });

  it("N5: refuses a message above a bound or with contradicting fields", () => {
    const one = { key: "k", text: "t", revision: 1 };
    const base = { born: "b", revision: 1, previous: 0, rows: [one] };
    const bad = [
      { ...base, rows: Array.from({ length: TABLE_PAGE_ROWS_MAX + 1 }, () => one) },
      { ...base, rows: [{ ...one, text: "x".repeat(TABLE_TEXT_UNITS_MAX + 1) }] },
      { ...base, rows: [{ ...one, key: "" }] },
      { ...base, rows: [{ ...one, revision: -1 }] },
      { ...base, previous: 2 },
      { ...base, revision: 1.5 },
    ];
    for (const value of bad) {
      expect(decodeTableChange(encodeTableChange(value))).to.equal(undefined);
    }
    expect(decodeTableChange(encodeTableChange(base))).to.deep.equal(base);
    const endless = encodeTablePage({ born: "b", revision: 1, rows: [], more: true });
    expect(decodeTablePage(endless)).to.equal(undefined);
    expect(decodeTableRequest('{"v":1,"behind":7}')).to.equal(undefined);
  });
});
