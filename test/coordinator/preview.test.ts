// The images that a terminal shows after each epoch: what they are, and that a run has the same bits without
// them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadModel, train } from '#src/index.js';
import { temporaryDirectory, writeSmallData } from '../cli/smallRun.js';

describe('a preview', () => {
  const directory = temporaryDirectory();
  const data = writeSmallData(directory, 'data', 40);
  const run = async (name: string, preview: number | undefined) => {
    const events: string[] = [];
    const previews: { epoch: number; above: Float32Array; below: Float32Array }[] = [];
    const result = await train({
      model: 'mlp',
      data,
      epochs: 2,
      batchSize: 16,
      workers: 1,
      binarize: 'dynamic',
      pictures: false,
      out: join(directory, name),
      ...(preview === undefined ? {} : { preview }),
      onEvent: (event) => {
        events.push(event.kind);
        if (event.kind !== 'preview') return;
        const { height, width, channels, above, below } = event.rows;
        assert.deepEqual([height, width, channels], [8, 8, 1]);
        previews.push({ epoch: event.epoch, above, below });
      },
    });
    return { result, events, previews };
  };

  it('comes after each epoch where it is asked for, and changes no bit', async () => {
    const without = await run('without', undefined);
    assert.ok(!without.events.includes('preview'));
    const shown = await run('with', 5);
    assert.deepEqual(
      shown.previews.map(({ epoch }) => epoch),
      [1, 2],
    );
    assert.equal(shown.result.parametersSha256, without.result.parametersSha256);
    assert.deepEqual(shown.result.test, without.result.test);
    // Test images as the evaluation sees them, and what the model makes of them.
    const { above, below } = shown.previews[1]!;
    assert.equal(above.length, 5 * 64);
    assert.ok(above.every((value) => value === 0 || value === 1));
    const { model } = await loadModel(join(directory, 'with'));
    assert.deepEqual(below, model.reconstruct(above));
  });

  it('has at most as many images as the test set', async () => {
    const { previews } = await run('many', 1000);
    assert.equal(previews[0]!.above.length, 12 * 64);
  });

  it('is refused where its number is none', async () => {
    await assert.rejects(
      train({ preview: 0 }),
      /^UsageError: train\(\): preview is 0, expected a positive integer\.$/,
    );
  });
});
