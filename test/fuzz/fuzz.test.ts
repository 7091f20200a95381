// The short form: fixed seed, few cases. `npm run test:fuzz` runs the same properties for minutes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { properties } from './properties.js';
import { SEED } from './property.js';

for (const property of properties) {
  test(`${property.name}, seed ${SEED}, ${property.cases} cases`, async (context) => {
    const outcomes = new Map<string, number>();
    const onCase = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const failure = await property.run({ seed: SEED, cases: property.cases, onCase });
    if (failure !== undefined) {
      const { seed, path, report } = failure;
      const repeat = `npm run test:fuzz -- --only "${property.name}" --seed ${seed} --path ${path}`;
      assert.fail(`${report}\nRepeat it: ${repeat}`);
    }
    // A property that everything passes by one way shows nothing.
    context.diagnostic([...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', '));
    assert.ok(outcomes.size > 1, `all cases were ${[...outcomes.keys()]}`);
    for (const [outcome, count] of outcomes) assert.ok(count >= property.cases / 100, `${count} ${outcome}`);
  });
}
