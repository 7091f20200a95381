// What an owner updates at a time, and which rank owns what.

import { ROWS_OF_OVERHEAD, TERM_COST, UNIT_ROWS } from '../../kernels/tuning.js';
import type { ModelPrior } from '../../model/priors/registry.js';
import type { OwnedLayer } from './network.js';

/** A layer, and its rows for each example: 1 in the encoder, K in the decoder. */
export type ScaledLayer = OwnedLayer & { readonly scale: number };

/** Some rows of a layer's weights, or its bias, or all parameters of the prior. */
export interface Unit {
  /** Its number; of no meaning for the prior. */
  readonly layer: number;
  readonly kind: 'weights' | 'bias' | 'prior';
  readonly row: number;
  readonly rows: number;
  /** Where it begins in the flat parameter buffer, and its floats. */
  readonly offset: number;
  readonly size: number;
  /** What its update costs, in a unit of its own. */
  readonly cost: number;
}

/** All units of a model, layer by layer, and the prior's. */
export function unitsOf({
  layers,
  batchSize,
  shards,
  prior: { offset, size },
}: {
  readonly layers: readonly ScaledLayer[];
  readonly batchSize: number;
  readonly shards: number;
  readonly prior: Pick<ModelPrior, 'offset' | 'size'>;
}): Unit[] {
  const units = layers.flatMap(({ layer, scale, density }, index): Unit[] => {
    const rowCost = Math.min(1, TERM_COST * density) * batchSize * scale;
    const costOf = (size: number) => size * (ROWS_OF_OVERHEAD + rowCost);
    const [inputs, outputs] = [layer.big[2], layer.small[2]];
    const units: Unit[] = [];
    for (let row = 0; row < inputs; row += UNIT_ROWS) {
      const rows = Math.min(UNIT_ROWS, inputs - row);
      const offset = layer.weights.offset + row * outputs;
      const size = rows * outputs;
      units.push({ layer: index, kind: 'weights', row, rows, offset, size, cost: costOf(size) });
    }
    const bias = { offset: layer.bias.offset, size: outputs, cost: costOf(outputs) };
    units.push({ layer: index, kind: 'bias', row: 0, rows: 0, ...bias });
    return units;
  });
  if (size === 0) return units;
  const cost = size * (ROWS_OF_OVERHEAD + shards);
  return [...units, { layer: -1, kind: 'prior', row: 0, rows: 0, offset, size, cost }];
}

/** Whether the layer's input may have many zeros. */
export function isSparse({ density }: OwnedLayer): boolean {
  return density < 1;
}

/** Each rank's contiguous share of the units, by the middle of each in the sum of all costs. */
export function shareOut(units: readonly Unit[], ranks: number): Unit[][] {
  const shares: Unit[][] = Array.from({ length: ranks }, () => []);
  const total = units.reduce((sum, { cost }) => sum + cost, 0);
  let before = 0;
  for (const unit of units) {
    shares[Math.floor(((before + unit.cost / 2) * ranks) / total)]!.push(unit);
    before += unit.cost;
  }
  return shares;
}
