// What `inspect` prints of a model: a table in the manner of Keras's summary.
import { everyLayer, layerMultiplyAdds, layerText, outline, weightedLayers } from './layers/kinds.js';
import type { Layer, Model, Shape } from './model.js';

/**
 * Multiply-adds of one example's forward pass, encoder and decoder with one draw of z; activations and biases
 * not counted.
 */
export function forwardMultiplyAdds(model: Model): number {
  return everyLayer([...model.encoder, ...model.decoder]).reduce(
    (sum, layer) => sum + layerMultiplyAdds(layer),
    0,
  );
}

/**
 * The encoder's and the decoder's layers with shapes, parameters and multiply-adds, and the totals: many
 * lines.
 */
export function describeModel(model: Model): string {
  const { name, input, dimensions, latent, encoder, decoder, prior, parameters } = model;
  // Short words and no prefixes: the table of a convolutional model fits 80 columns.
  const heading = ['Layer', 'Type', 'Output', 'Parameters', 'MACs'];
  const rows = [heading, ...sideRows('encoder', encoder), ...sideRows('decoder', decoder)];
  const ofPrior = prior.size === 0 ? '' : `, prior ${grouped(prior.size)}`;
  const counts = `encoder ${grouped(parametersOf(encoder))}, decoder ${grouped(parametersOf(decoder))}${ofPrior}`;
  return [
    `Model ${name}: x ${shapeText(input)} (D = ${dimensions}), z [${latent}]`,
    '',
    ...table(rows),
    '',
    `Parameters: ${grouped(parameters.size)} (${counts}), ${grouped(4 * parameters.size)} bytes`,
    `MACs: multiply-adds forward, per example; ${grouped(forwardMultiplyAdds(model))} in all`,
  ].join('\n');
}

function sideRows(side: string, layers: readonly Layer[]): string[][] {
  const rows = outline(layers).map((layer) => [
    ...nameAndType(layer),
    `[${layer.output.join(',')}]`,
    layer.kind === 'correlation' ? grouped(layer.weights.size + layer.bias.size) : '',
    layer.kind === 'correlation' ? grouped(layerMultiplyAdds(layer)) : '',
  ]);
  return [[side, '', '', '', ''], ...rows];
}

/**
 * A layer within another, or an activation that belongs to one, has that one's name, a slash and its own.
 * Such an activation is called by its type, which needs to stand there once.
 */
function nameAndType(layer: Layer): [name: string, type: string] {
  const path = layer.name.split('/');
  const name = path.at(-1)!;
  const type = layerText(layer);
  return [
    `${'  '.repeat(path.length)}${name}`,
    layer.kind === 'activation' && path.length > 1 && name === type ? '' : type,
  ];
}

/** Columns as wide as their widest cell; numbers (the last two columns) to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const [heading, ...body] = rows;
  return [line(heading!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

function parametersOf(layers: readonly Layer[]): number {
  return weightedLayers(layers).reduce((sum, { weights, bias }) => sum + weights.size + bias.size, 0);
}

function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** 69989 as 69,989. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
