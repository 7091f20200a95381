import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MapShape } from '#src/model/model.js';
import { parseModelSpec } from '#src/model/parse.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';

const mnist: MapShape = [28, 28, 1];
// From build/test/model to the project's root.
const page = readFileSync(new URL('../../../docs/models.md', import.meta.url), 'utf8');
const specs = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) =>
  parseModelSpec(JSON.parse(json!), 'docs/models.md'),
);
const documented = (name: string) => specs.find((spec) => spec.name === name)!;

test("docs/models.md: the cvae's JSON is the preset", () => {
  assert.deepEqual(documented('cvae'), presetSpec('cvae', mnist));
});

test('docs/models.md: every model in it resolves, also for other images', () => {
  assert.deepEqual(
    specs.map(({ name }) => name),
    ['small', 'residual', 'cvae'],
  );
  for (const spec of specs) {
    assert.deepEqual(resolveModel(spec, { input: mnist }).input, mnist);
  }
  const { encoder, decoder, parameters } = resolveModel(documented('small'), { input: [9, 5, 3] });
  assert.deepEqual(encoder[0]!.output, [5, 3, 16]);
  assert.deepEqual(encoder.at(-1)!.output, [16]);
  assert.deepEqual(decoder.at(-1)!.output, [135]);
  assert.equal(parameters.entries.at(-1)!.initializer.kind, 'dataMeanLogit');
});

test('docs/models.md: the numbers of parameters in the table of presets', () => {
  for (const name of presetNames) {
    const { size } = resolveModel(presetSpec(name, mnist), { input: mnist }).parameters;
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`))!;
    assert.ok(row.endsWith(`| ${size.toLocaleString('en-US')} |`), row);
  }
});
