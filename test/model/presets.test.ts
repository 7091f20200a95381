import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { forwardMultiplyAdds } from '#src/model/describe.js';
import { layerMultiplyAdds } from '#src/model/layers/kinds.js';
import type { MapShape, Model } from '#src/model/model.js';
import { isPresetName, presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';

const mnist: MapShape = [28, 28, 1];
const preset = (name: string, input = mnist) => resolveModel(presetSpec(name, input), { input });

/** Name and output shape of each layer. */
function outputs({ encoder, decoder }: Model) {
  const side = (layers: Model['encoder']) => layers.map(({ name, output }) => `${name} ${output.join('x')}`);
  return { encoder: side(encoder), decoder: side(decoder) };
}

function parameters(model: Model) {
  return model.parameters.entries.map(({ name, shape }) => `${name} ${shape.join('x')}`);
}

test("cvae: the layers' outputs are those that Keras prints for the tutorial's model", () => {
  assert.deepEqual(outputs(preset('cvae')), {
    encoder: [
      'conv2d 13x13x32',
      'conv2d/relu 13x13x32',
      'conv2d_1 6x6x64',
      'conv2d_1/relu 6x6x64',
      'flatten 2304',
      'dense 4',
    ],
    decoder: [
      'dense 1568',
      'dense/relu 1568',
      'reshape 7x7x32',
      'conv2d_transpose 14x14x64',
      'conv2d_transpose/relu 14x14x64',
      'conv2d_transpose_1 28x28x32',
      'conv2d_transpose_1/relu 28x28x32',
      'conv2d_transpose_2 28x28x1',
    ],
  });
});

test('cvae: parameters, encoder first, weights then bias, in the shapes of Keras', () => {
  const model = preset('cvae');
  assert.deepEqual(parameters(model), [
    'encoder/conv2d/weights 3x3x1x32',
    'encoder/conv2d/bias 32',
    'encoder/conv2d_1/weights 3x3x32x64',
    'encoder/conv2d_1/bias 64',
    'encoder/dense/weights 2304x4',
    'encoder/dense/bias 4',
    'decoder/dense/weights 2x1568',
    'decoder/dense/bias 1568',
    'decoder/conv2d_transpose/weights 3x3x64x32',
    'decoder/conv2d_transpose/bias 64',
    'decoder/conv2d_transpose_1/weights 3x3x32x64',
    'decoder/conv2d_transpose_1/bias 32',
    'decoder/conv2d_transpose_2/weights 3x3x1x32',
    'decoder/conv2d_transpose_2/bias 1',
  ]);
  const encoder = 3 * 3 * 1 * 32 + 32 + (3 * 3 * 32 * 64 + 64) + (6 * 6 * 64 * 4 + 4);
  const decoder = 2 * 1568 + 1568 + (3 * 3 * 32 * 64 + 64) + (3 * 3 * 64 * 32 + 32) + (3 * 3 * 32 * 1 + 1);
  assert.equal(model.parameters.size, encoder + decoder);
  assert.equal(model.parameters.size, 69_989);
});

test('cvae: padding of the convolutions', () => {
  const paddings = [...preset('cvae').encoder, ...preset('cvae').decoder].flatMap((layer) =>
    layer.kind === 'correlation' && layer.type !== 'dense' ? [layer.padding] : [],
  );
  // Stride 2, kernel 3, even output: one zero in all, and it goes after the map.
  assert.deepEqual(paddings, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
});

test('cvae: 5.47 M multiply-adds an image, 3.61 M of them in the second transposed convolution', () => {
  const model = preset('cvae');
  const layer = model.decoder.find(({ name }) => name === 'conv2d_transpose_1')!;
  assert.equal(layerMultiplyAdds(layer), 14 * 14 * 3 * 3 * 64 * 32);
  const encoder = 13 * 13 * 9 * 1 * 32 + 6 * 6 * 9 * 32 * 64 + 2304 * 4;
  const decoder = 2 * 1568 + 7 * 7 * 9 * 32 * 64 + 14 * 14 * 9 * 64 * 32 + 28 * 28 * 9 * 32 * 1;
  assert.equal(forwardMultiplyAdds(model), encoder + decoder);
  assert.equal(forwardMultiplyAdds(model), 5_466_208);
});

test('mlp: 784-400 relu-2·20, 20-400 relu-784', () => {
  const model = preset('mlp');
  assert.deepEqual(outputs(model), {
    encoder: ['flatten 784', 'dense 400', 'dense/relu 400', 'dense_1 40'],
    decoder: ['dense 400', 'dense/relu 400', 'dense_1 784'],
  });
  assert.equal(
    model.parameters.size,
    784 * 400 + 400 + (400 * 40 + 40) + (20 * 400 + 400) + (400 * 784 + 784),
  );
  assert.ok(model.parameters.entries.every(({ initializer }) => initializer.kind !== 'dataMeanLogit'));
});

test("iwae: 784-200-200 tanh-2·50, 50-200-200 tanh-784, output bias from the data's mean", () => {
  const model = preset('iwae');
  assert.deepEqual(outputs(model), {
    encoder: ['flatten 784', 'dense 200', 'dense/tanh 200', 'dense_1 200', 'dense_1/tanh 200', 'dense_2 100'],
    decoder: ['dense 200', 'dense/tanh 200', 'dense_1 200', 'dense_1/tanh 200', 'dense_2 784'],
  });
  const hidden = 200 * 200 + 200;
  assert.equal(
    model.parameters.size,
    784 * 200 + 200 + hidden + (200 * 100 + 100) + (50 * 200 + 200) + hidden + (200 * 784 + 784),
  );
  const fromData = model.parameters.entries.filter(({ initializer }) => initializer.kind === 'dataMeanLogit');
  assert.deepEqual(
    fromData.map(({ name }) => name),
    ['decoder/dense_2/bias'],
  );
});

test('recommended training of each preset', () => {
  const training = Object.fromEntries(presetNames.map((name) => [name, presetSpec(name, mnist).training]));
  assert.deepEqual(training, {
    cvae: { batchSize: 32, learningRate: 1e-4, epochs: 10, binarize: 'threshold', samples: 1 },
    mlp: { batchSize: 128, learningRate: 1e-3, epochs: 10, binarize: 'none', samples: 1 },
    iwae: { batchSize: 20, learningRate: 1e-3, epochs: 10, binarize: 'dynamic', samples: 1 },
  });
});

test('cvae takes other images: the decoder returns to their size and channels', () => {
  for (const input of [
    [8, 8, 1],
    [32, 32, 3],
    [64, 8, 2],
  ] satisfies MapShape[]) {
    const model = preset('cvae', input);
    assert.deepEqual(model.decoder.at(-1)!.output, input);
    assert.equal(model.dimensions, input[0] * input[1] * input[2]);
  }
});

test('cvae names the sizes it takes', () => {
  for (const [height, width] of [
    [30, 30],
    [28, 27],
    [4, 28],
    [28, 4],
  ] as const) {
    assert.throws(
      () => presetSpec('cvae', [height, width, 1]),
      new UsageError(
        "The preset cvae takes images whose height and width are multiples of 4, from 8 up; the data's are " +
          `${height}×${width}. The preset mlp, or a model of your own as a JSON file (docs/models.md), takes any size.`,
      ),
    );
  }
});

test('mlp and iwae take any size', () => {
  for (const name of ['mlp', 'iwae']) {
    assert.deepEqual(preset(name, [5, 3, 2]).decoder.at(-1)!.output, [30]);
  }
});

test('an unknown preset is named, with the nearest one', () => {
  const others = 'Presets are cvae, mlp, iwae; a model of your own is a JSON file (docs/models.md).';
  assert.throws(
    () => presetSpec('resnet', mnist),
    new UsageError(`There is no model preset "resnet". ${others}`),
  );
  for (const [typed, meant] of [
    ['cave', 'cvae'],
    ['vae', 'cvae'],
    ['MLP', 'mlp'],
    ['iwea', 'iwae'],
  ]) {
    assert.throws(
      () => presetSpec(typed!, mnist),
      new UsageError(`There is no model preset "${typed}"; did you mean "${meant}"? ${others}`),
    );
  }
});

test('what every object inherits is no preset', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) {
    assert.equal(isPresetName(name), false);
    assert.throws(() => presetSpec(name, mnist), /^UsageError: There is no model preset/);
  }
});
