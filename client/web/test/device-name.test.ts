// DeviceName: what browsers call themselves, and what the list of devices shows of it.

import { expect } from "chai";
import { SESSION_TEXT_LENGTH_MAX } from "#shared/protocol/session-records.ts";
import { deviceName } from "../store/device-name.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const IOS = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

describe("DeviceName", () => {
  for (const [userAgent, name] of [
    ["Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox, Linux"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`, "Chrome, Linux"],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`,
      "Edge, Windows",
    ],
    [
      `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${IOS} Version/26.0 Safari/605.1.15`,
      "Safari, Mac",
    ],
    [
      `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${IOS} CriOS/142.0 Mobile/15E148 Safari/604.1`,
      "Chrome, iPhone",
    ],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36`,
      "Chrome, Android",
    ],
    [`Mozilla/5.0 (X11; CrOS x86_64) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`, "Chrome, ChromeOS"],
    ["Mozilla/5.0 (Windows NT 10.0) Something/1", "Windows"],
    ["curl/8", undefined],
  ] as const) {
    it(`SL10: ${name ?? "no name"} for ${userAgent.slice(0, 60)}`, () => {
      expect(deviceName(userAgent)).to.equal(name);
      expect(name?.length ?? 0).to.be.at.most(SESSION_TEXT_LENGTH_MAX);
    });
  }
});
