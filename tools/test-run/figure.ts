// Figure: what a test measured, such as a time or counts of faults, as a line of the run's output.
//
// A test passes by its own bounds. The line shows how near they are, and what a seeded run did.

/** The indentation puts the line below the title of its suite. */
export function printFigure(text: string): void {
  console.log(`      ${text}`);
}
