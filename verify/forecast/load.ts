// Load: the program whose heap a run of the evaluation observes. It holds and releases memory in
// one of the SHAPES until its time is over or V8 ends it.
//
//   node --max-old-space-size=48 verify/forecast/load.ts <shape> <seed> <seconds>
//
// It writes one JSON line after each major collection: time, live bytes, bytes accounted for.

import { systemClock } from "#shared/adapters/clock-system.ts";
import { seededRandom } from "#shared/kit/random.ts";
import { openHeapSensor } from "#shared/process/heap-sensor.ts";
import { isShape, SHAPES } from "./shapes.ts";

/** Runs take a minute instead of hours. */
const SPEED = 200;
const TICK_MS = 20;
/** Garbage of each tick, so that the young generation works as under a real load. */
const GARBAGE_OBJECTS = 2_000;

const [shape = "", seedText = "1", secondsText = "50"] = process.argv.slice(2);
if (!isShape(shape)) throw new Error(`unknown shape ${shape}`);
const seconds = Number(secondsText);
const random = seededRandom(Number(seedText));
const uniform = (): number => random.next32() / 2 ** 32;
const program = SHAPES[shape].create(uniform, seconds);

const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 1_000;
const sensor = openHeapSensor({
  clock: systemClock,
  speed: SPEED,
  onLive: (live) => {
    const line = { at: elapsed(), live, accounted: program.accounted(), limit: sensor.limit };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  },
});
const ticking = setInterval(() => {
  let garbage: object[] = [];
  for (let i = 0; i < GARBAGE_OBJECTS; i++) garbage.push({ i, text: `garbage ${i}` });
  garbage = [];
  program.tick(elapsed(), TICK_MS / 1_000);
  if (elapsed() < seconds) return;
  clearInterval(ticking);
  sensor.close();
}, TICK_MS);
