// The models that come with the product. Sources: cvae is the convolutional VAE of TensorFlow's tutorial, mlp
// the VAE of PyTorch's examples, iwae the architecture of Burda et al.'s one-layer model (2016,
// arXiv:1509.00519, section 5), trained with the ELBO like the others.
import { UsageError } from '../errors.js';
import { nearestName } from '../nearestName.js';
import { Place } from './jsonReader.js';
import type { MapShape } from './model.js';
import { readMapShape } from './parse.js';
import type { LayerSpec, ModelSpec } from './spec.js';

/** The names that `presetSpec` and the option `model` take. */
export const presetNames = ['cvae', 'mlp', 'iwae'] as const;
export type PresetName = (typeof presetNames)[number];

export function isPresetName(name: string): name is PresetName {
  return presetNames.some((preset) => preset === name);
}

/**
 * Returns the specification of the preset `name` for data of shape `input`, [height, width, channels].
 *
 * @throws UsageError for an unknown name, and for an image size that cvae cannot return to.
 */
export function presetSpec(name: string, input: MapShape): ModelSpec {
  if (!isPresetName(name)) {
    const nearest = nearestName(String(name), presetNames);
    throw new UsageError(
      `There is no model preset ${JSON.stringify(name)}${nearest === undefined ? '.' : `; did you mean "${nearest}"?`}` +
        ` Presets are ${presetNames.join(', ')}; a model of your own is a JSON file (docs/models.md).`,
    );
  }
  return presets[name](readMapShape(input, new Place('presetSpec()', 'input')));
}

const presets: Readonly<Record<PresetName, (input: MapShape) => ModelSpec>> = { cvae, mlp, iwae };

function cvae(input: MapShape): ModelSpec {
  const [height, width] = input;
  // The decoder doubles its first map twice; the encoder's two valid 3×3 convolutions of stride 2 need 7
  // pixels.
  const fits = (size: number) => size >= 8 && size % 4 === 0;
  if (!fits(height) || !fits(width)) {
    throw new UsageError(
      `The preset cvae takes images whose height and width are multiples of 4, from 8 up; the data's are ` +
        `${height}×${width}. The preset mlp, or a model of your own as a JSON file (docs/models.md), takes any size.`,
    );
  }
  const [h, w] = [height / 4, width / 4];
  const transposed = { type: 'conv2dTranspose', kernel: 3, padding: 'same' } as const;
  return {
    name: 'cvae',
    input,
    latent: 2,
    encoder: [
      { type: 'conv2d', filters: 32, kernel: 3, strides: 2, activation: 'relu' },
      { type: 'conv2d', filters: 64, kernel: 3, strides: 2, activation: 'relu' },
      { type: 'flatten' },
      { type: 'dense', units: 'posterior' },
    ],
    decoder: [
      { type: 'dense', units: h * w * 32, activation: 'relu' },
      { type: 'reshape', shape: [h, w, 32] },
      { ...transposed, filters: 64, strides: 2, activation: 'relu' },
      { ...transposed, filters: 32, strides: 2, activation: 'relu' },
      { ...transposed, filters: 'channels' },
    ],
    training: { batchSize: 32, learningRate: 1e-4, epochs: 10, binarize: 'threshold', samples: 1 },
  };
}

function mlp(): ModelSpec {
  const hidden: LayerSpec = { type: 'dense', units: 400, activation: 'relu' };
  return {
    name: 'mlp',
    latent: 20,
    encoder: [{ type: 'flatten' }, hidden, { type: 'dense', units: 'posterior' }],
    decoder: [hidden, { type: 'dense', units: 'pixels' }],
    // Its published figures began there; Glorot's wider start is 0.7 nats behind after ten epochs.
    initialization: 'fanInUniform',
    training: { batchSize: 128, learningRate: 1e-3, epochs: 10, binarize: 'none', samples: 1 },
  };
}

function iwae(): ModelSpec {
  const hidden: LayerSpec = { type: 'dense', units: 200, activation: 'tanh' };
  return {
    name: 'iwae',
    latent: 50,
    encoder: [{ type: 'flatten' }, hidden, hidden, { type: 'dense', units: 'posterior' }],
    decoder: [hidden, hidden, { type: 'dense', units: 'pixels' }],
    outputBias: 'dataMean',
    // The published figures took 3,280 epochs of a falling rate; ten of the first rate show the model at
    // work.
    training: { batchSize: 20, learningRate: 1e-3, epochs: 10, binarize: 'dynamic', samples: 1 },
  };
}
