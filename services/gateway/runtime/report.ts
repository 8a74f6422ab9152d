// Report: the runtime's log of rare events that need no action; main.ts writes it.

/** `event` is a fixed text. All variable data is in `detail`. */
export type Report = (event: string, detail: Readonly<Record<string, unknown>>) => void;
