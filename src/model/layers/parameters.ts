// Weights and biases of a layer: their places in the layout, and how they start.
import { fanInUniform, glorotUniform } from '../layout.js';
import type { CorrelationLayer, Initializer, Shape } from '../model.js';
import type { LayerContext } from './layerType.js';

export function layerParameters(
  { layout, side, name, initialization, biasInitializer }: LayerContext,
  type: CorrelationLayer['type'],
  weightShape: Shape,
  outputs: number,
): Pick<CorrelationLayer, 'weights' | 'bias'> {
  const glorot = initialization === 'glorotUniform';
  const fanIn = fanInUniform(weightShape, type);
  const bias: Initializer = biasInitializer ? { kind: biasInitializer } : glorot ? { kind: 'zeros' } : fanIn;
  const weights = glorot ? glorotUniform(weightShape) : fanIn;
  return {
    weights: layout.add(`${side}/${name}/weights`, weightShape, weights),
    bias: layout.add(`${side}/${name}/bias`, [outputs], bias),
  };
}
