// A model's encoder or decoder over TensorFlow.js.
import type { Layer, ParameterLayout } from '../../model/model.js';
import { layerKindOf } from './layers/registry.js';
import type { NetworkContext, Step } from './layers/step.js';
import type { TfjsRuntime } from './runtime.js';

export interface NetworkOptions {
  readonly parameters: ParameterLayout;
  readonly layers: readonly Layer[];
  readonly examples: number;
  /** Rows an example: K in the decoder. */
  readonly rowsPerExample: number;
  /** Whether the gradient is to go on to the input. */
  readonly inputGradient: boolean;
}

/** The layers, one behind the other. */
export function network(runtime: TfjsRuntime, options: NetworkOptions): Step {
  const { layers, parameters, examples, rowsPerExample, inputGradient } = options;
  const rows = examples * rowsPerExample;
  return connect(layers, { runtime, parameters, rows, rowsPerExample, connect }, inputGradient).step;
}

function connect(
  layers: readonly Layer[],
  context: NetworkContext,
  neededBefore: boolean,
): { step: Step; needed: boolean } {
  const steps: Step[] = [];
  let needed = neededBefore;
  for (let i = 0; i < layers.length; ) {
    const layer = layers[i]!;
    const planned = layerKindOf(layer)(layer, context, needed, layers[i + 1]);
    steps.push(planned.step);
    needed = planned.needed;
    i += planned.layers;
  }
  const step: Step = (input, parameters, bounds) =>
    steps.reduce((value, next) => next(value, parameters, bounds), input);
  return { step, needed };
}
