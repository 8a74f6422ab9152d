// Table: a section with a heading and one table, which scrolls by itself on a narrow screen.

import type { ComponentChildren, JSX } from "preact";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly columns: readonly string[];
  /** Between the heading and the table. */
  readonly tools?: ComponentChildren;
  /** Behind the table. */
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Table({ id, title, columns, tools, note, children }: Props): JSX.Element {
  return (
    <section class="operator-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {tools}
      <div class="operator-scroll" role="group" aria-labelledby={id} tabIndex={0}>
        <table aria-labelledby={id}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
      {note}
    </section>
  );
}
