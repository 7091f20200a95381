/** By name, each [count] or [count, width]. */
type ExampleFigures = Readonly<Record<string, Float64Array>>;

/** One JSON object a line and example: `example` is its place in the test set. */
export function exampleLines(figures: ExampleFigures, first: number, count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const own = Object.entries(figures).map(([name, values]) => {
      const width = values.length / count;
      return [name, width === 1 ? values[i]! : [...values.subarray(i * width, (i + 1) * width)]];
    });
    return `${JSON.stringify({ example: first + i, ...Object.fromEntries(own) })}\n`;
  }).join('');
}

/** A row for each example, and the name of each column: `elbo.kl[0]` where a figure has several numbers. */
export function exampleTable(
  figures: ExampleFigures,
  count: number,
): { readonly columns: readonly string[]; readonly values: Float64Array } {
  const widths = Object.entries(figures).map(([name, values]) => ({
    name,
    values,
    width: values.length / count,
  }));
  const columns = widths.flatMap(({ name, width }) =>
    width === 1 ? [name] : Array.from({ length: width }, (_, j) => `${name}[${j}]`),
  );
  const table = new Float64Array(columns.length * count);
  for (let i = 0; i < count; i++) {
    let at = i * columns.length;
    for (const { values, width } of widths) {
      table.set(values.subarray(i * width, (i + 1) * width), at);
      at += width;
    }
  }
  return { columns, values: table };
}
