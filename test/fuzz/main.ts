// The long form of the properties: npm run test:fuzz -- [--seed S] [--minutes M] [--only NAME [--path P]].
// The seed is random by default; each round of a property has a seed of its own, which is printed where a
// case fails.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { properties } from './properties.js';

/** Cases of a property before the next one has its turn. */
const ROUND = 500;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '5' },
    only: { type: 'string' },
    path: { type: 'string' },
  },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const minutes = Number(values.minutes);
const chosen = properties.filter(({ name }) => values.only === undefined || name.includes(values.only));
if (!Number.isSafeInteger(seed) || !(minutes > 0) || chosen.length === 0) {
  console.error('--seed takes a whole number, --minutes a number above 0, --only a part of a name.');
  process.exit(2);
}

const { path } = values;
const end = performance.now() + minutes * 60_000;
const counts = new Map<string, number>();
console.log(`Seed ${seed}, ${minutes} minutes.`);
rounds: for (let round = 0; performance.now() < end; round++) {
  for (const { name, run } of chosen) {
    if (performance.now() >= end) break rounds;
    const onCase = (outcome: string) => {
      const key = `${name}: ${outcome}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    };
    const options = { seed: seed + round, cases: ROUND, onCase };
    const failure = await run(path === undefined ? options : { ...options, path });
    if (failure === undefined) continue;
    console.error(`${name}: a case fails.\n${failure.report}`);
    console.error(
      `Repeat it: npm run test:fuzz -- --only "${name}" --seed ${failure.seed} --path ${failure.path}`,
    );
    process.exit(1);
  }
  if (path !== undefined) break;
}
for (const [key, count] of counts) console.log(`${String(count).padStart(9)}  ${key}`);
const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(`${all} cases, none fails. Most memory at once: ${peak} MiB.`);
