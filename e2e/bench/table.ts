/** Rows of figures as aligned text. */
export type Figures = Record<string, string | number | null>;

/** A whole table; a column is as wide as its widest cell. */
export function table(rows: Figures[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  return cells
    .map((line) => line.map((text, column) => text.padStart(widths[column])).join('  '))
    .join('\n');
}

/** A table whose rows come one by one: the first brings the headings, which then give the widths. */
export function liveTable(print: (line: string) => void): (row: Figures) => void {
  let widths: number[] | null = null;
  return (row) => {
    const cells = Object.values(row).map(cell);
    if (!widths) {
      const names = Object.keys(row);
      widths = names.map((name, column) => Math.max(name.length, cells[column].length, 5));
      print(aligned(names, widths));
    }
    print(aligned(cells, widths));
  };
}

function aligned(cells: string[], widths: number[]): string {
  return cells.map((text, column) => text.padStart(widths[column])).join('  ');
}

function cell(value: string | number | null): string {
  if (value === null) return '–';
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
}
