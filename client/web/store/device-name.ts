// DeviceName: what the list of the user's devices calls this browser: "Firefox, Linux". Pure.
//
// Both parts are names, so they need no language: another device shows them in its own.

/** [in the user agent, the name]; the first one that is found. Many name others, too. */
const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["Firefox", "Firefox"],
  ["FxiOS", "Firefox"],
  ["Chrome", "Chrome"],
  ["CriOS", "Chrome"],
  ["Safari", "Safari"],
] as const;
const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["CrOS", "ChromeOS"],
  ["Windows", "Windows"],
  ["Mac", "Mac"],
  ["Linux", "Linux"],
] as const;

/** Undefined for a user agent that names nothing known. */
export function deviceName(userAgent: string): string | undefined {
  const found = [BROWSERS, SYSTEMS].flatMap((names) => {
    const row = names.find(([part]) => userAgent.includes(part));
    return row === undefined ? [] : [row[1]];
  });
  return found.length === 0 ? undefined : found.join(", ");
}
