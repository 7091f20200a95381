// What `inspect` prints of a model: a table in the manner of Keras's summary.
import type { CorrelationLayer, Layer, Model, Shape } from './model.js';

/**
 * Multiply-adds of one example's forward pass, encoder and decoder with one draw of z; activations and biases
 * not counted.
 */
export function forwardMultiplyAdds(model: Model): number {
  return [...model.encoder, ...model.decoder].reduce((sum, layer) => sum + layerMultiplyAdds(layer), 0);
}

/** Every pixel of the small map meets every tap once; taps that fall on padding are counted too. */
export function layerMultiplyAdds(layer: Layer): number {
  return layer.kind === 'correlation' ? layer.small[0] * layer.small[1] * layer.weights.size : 0;
}

/** The encoder's and the decoder's layers with shapes, parameters and multiply-adds, and the totals: many lines. */
export function describeModel(model: Model): string {
  const { name, input, dimensions, latent, encoder, decoder, parameters } = model;
  // Short words and no prefixes: the table of a convolutional model fits 80 columns.
  const heading = ['Layer', 'Type', 'Output', 'Parameters', 'MACs'];
  const rows = [heading, ...sideRows('encoder', encoder), ...sideRows('decoder', decoder)];
  const counts = `encoder ${grouped(parametersOf(encoder))}, decoder ${grouped(parametersOf(decoder))}`;
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
  const rows = layers.map((layer) => [
    // An activation that belongs to a layer has its name, a slash and its own.
    layer.name.includes('/') ? `    ${layer.name.replace(/.*\//, '')}` : `  ${layer.name}`,
    layer.kind === 'activation' && layer.name.includes('/') ? '' : typeText(layer),
    `[${layer.output.join(',')}]`,
    layer.kind === 'correlation' ? grouped(layer.weights.size + layer.bias.size) : '',
    layer.kind === 'correlation' ? grouped(layerMultiplyAdds(layer)) : '',
  ]);
  return [[side, '', '', '', ''], ...rows];
}

function typeText(layer: Layer): string {
  if (layer.kind === 'correlation') return layer.type === 'dense' ? 'dense' : convolutionText(layer);
  return layer.kind === 'activation' ? layer.activation : 'reshape';
}

function convolutionText({ type, kernel, strides }: CorrelationLayer): string {
  return `${type} ${kernel.join('x')} /${strides[0] === strides[1] ? strides[0] : strides.join('x')}`;
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
  return layers.reduce(
    (sum, layer) => sum + (layer.kind === 'correlation' ? layer.weights.size + layer.bias.size : 0),
    0,
  );
}

function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** 69989 as 69,989. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
