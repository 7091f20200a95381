// What steps end with whose gradients stand in slots.
import type { Collective } from '../../collective/collective.js';
import { SLICE_UNIT } from '../../collective/parameterSlices.js';
import { clippingFactor, MeasuredGradient } from '../../optimizer/clipping.js';
import type { Rank } from '../rank.js';
import { SquaredNorms } from '../squaredNorms.js';
import type { Phase } from './stepRule.js';

/** Each rank updates its slice by the sums of the gradients in the slots. */
export function updateBySums(rank: Rank, collective: Collective): readonly Phase[] {
  const { optimizer, context } = rank;
  if (context.settings.clipNorm > 0) return clippedUpdate(rank, collective);
  return [
    {
      name: 'update',
      run: () => collective.reduceAndUpdate(optimizer),
      exchange: () => collective.gather('parameters'),
    },
  ];
}

/** The update waits until the norm over all slices is known. */
function clippedUpdate(rank: Rank, collective: Collective): readonly Phase[] {
  const { kernels, optimizer, stepRecords, context } = rank;
  const { memory, layout, settings, model } = context;
  const parameters = model.parameters.size;
  const places = { norms: layout.squaredNorms, unit: SLICE_UNIT, parameters };
  const gradient = new MeasuredGradient(kernels, places);
  const norms = new SquaredNorms(memory.buffer, layout.squaredNorms, parameters);
  return [
    {
      name: 'update',
      run: () => collective.reduceAndUpdate(gradient),
      exchange: () => collective.gather('squared norms'),
    },
    {
      name: 'update',
      run: (step) => {
        const norm = norms.norm() / step.examples;
        if (collective.rank === 0) stepRecords.writeGradientNorm(step.inEpoch, norm);
        rank.beginUpdate(step, clippingFactor(norm, settings.clipNorm));
        gradient.update(optimizer);
      },
      exchange: () => collective.gather('parameters'),
    },
  ];
}
