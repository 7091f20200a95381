import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type ChainDiagnostics, diagnoseChains } from '#src/inference/diagnostics.js';

/** See make_diagnostics.py. */
interface Recipe {
  readonly chains: number;
  readonly draws: number;
  readonly carry: number;
  readonly shift: number;
  readonly scale: number;
  readonly step: number;
  readonly power: number;
}

type Golden = { readonly [K in keyof ChainDiagnostics]: number | null } & {
  readonly name: string;
  readonly recipe: Recipe;
};

const GOLDEN = JSON.parse(readFileSync('test/inference/diagnostics.json', 'utf8')) as readonly Golden[];

/** [chains, draws], in the order of operations of make_diagnostics.py. */
function chainsOf({ chains, draws, carry, shift, scale, step, power }: Recipe): Float64Array {
  const values = new Float64Array(chains * draws);
  let state = 1;
  let x = 0;
  for (let i = 0; i < values.length; i++) {
    if (i % draws === 0) x = 0;
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    const noise = state / 2 ** 32 - 0.5;
    x = carry * x + (power === 1 ? noise : noise * noise * noise);
    const last = chains > 1 && i >= (chains - 1) * draws;
    const value = last ? scale * x + shift : x;
    values[i] = step > 0 ? Math.floor(value / step) * step : value;
  }
  return values;
}

/** Sums in another order: a few thousand roundings of 2⁻⁵³, relative. */
const TOLERANCE = 1e-9;

describe('diagnoseChains', () => {
  for (const { name, recipe, ...expected } of GOLDEN) {
    it(`agrees with ArviZ: ${name}`, () => {
      const diagnostics = diagnoseChains(chainsOf(recipe), recipe.chains);
      for (const key of ['rHat', 'bulkEss', 'tailEss', 'meanError'] as const) {
        const [actual, golden] = [diagnostics[key], expected[key]];
        // ArviZ has no R-hat of a single chain.
        if (golden === null) continue;
        assert.ok(Math.abs(actual - golden) <= TOLERANCE * golden, `${key}: ${actual}, ArviZ ${golden}`);
      }
    });
  }

  it('counts chains of one number whole, and finds that they agree', () => {
    const diagnostics = diagnoseChains(new Float64Array(400).fill(3), 4);
    assert.deepEqual(diagnostics, { rHat: 1, bulkEss: 400, tailEss: 400, meanError: 0 });
  });

  it('finds that chains stuck at different numbers have not mixed', () => {
    const stuck = Float64Array.from({ length: 400 }, (_, i) => Math.floor(i / 100));
    // Nothing but roundings varies within a chain.
    assert.ok(diagnoseChains(stuck, 4).rHat > 1e9);
  });

  it('is NaN where a value is', () => {
    const values = Float64Array.from({ length: 80 }, (_, i) => (i === 50 ? Number.NaN : i % 7));
    assert.ok(Object.values(diagnoseChains(values, 4)).every(Number.isNaN));
  });

  it('refuses chains that are too short to be halved, or not whole', () => {
    assert.throws(
      () => diagnoseChains(new Float64Array(60), 4),
      /4 chains of 16 draws or more cannot be 60 values/,
    );
    assert.throws(() => diagnoseChains(new Float64Array(65), 4), /cannot be 65 values/);
  });
});
