// Report: how the shell tells of what healed itself but should be rare; main.ts logs it.

/** `event` is fixed text; everything that varies is in `detail`. */
export type Report = (event: string, detail: Readonly<Record<string, unknown>>) => void;
