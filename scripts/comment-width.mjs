// Fails where a comment in src/ is wider than the formatter's lines: Biome and Prettier leave comments alone.
//
//   node scripts/comment-width.mjs          part of npm run lint
//   node scripts/comment-width.mjs --list   every line that is too wide, those that are still allowed included
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const width = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).formatter.lineWidth;

/** Wide lines that are left to mend, by folder or file. A number only ever gets smaller; at 0 its line goes. */
const remaining = {
  'src/kernels/assembly': 95,
};

/**
 * Written by scripts/make-glyphs.mjs, with the font's licence word for word and line for line, and by
 * scripts/kernel-bindings.mjs, with the comments of the kernels.
 */
const generated = ['src/report/glyphs.ts', 'src/kernels/bindings.ts'];

/** Whether a line is a comment, or code with a comment behind it. */
const hasComment = (line) => /^\s*(?:\/\/|\/\*|\*)/.test(line) || /[\s;,{}()]\/\/ /.test(line);

const wide = readdirSync(join(root, 'src'), { recursive: true })
  .map((name) => `src/${name.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts') && !generated.includes(path))
  .sort()
  .flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .map((line, index) => ({ path, line, number: index + 1, columns: [...line].length }))
      .filter(({ line, columns }) => columns > width && hasComment(line)),
  );

const placeOf = (path) =>
  Object.keys(remaining).find((place) => path === place || path.startsWith(`${place}/`));
const counts = Object.fromEntries(Object.keys(remaining).map((place) => [place, 0]));
const refused = [];
for (const found of wide) {
  const place = placeOf(found.path);
  if (place !== undefined) counts[place] += 1;
  if (place === undefined || process.argv.includes('--list')) refused.push(found);
}
for (const { path, number, columns } of refused) console.error(`${path}:${number}: ${columns} columns`);

const grown = Object.entries(counts).filter(([place, count]) => count > remaining[place]);
for (const [place, count] of Object.entries(counts)) {
  if (count === remaining[place]) continue;
  const advice =
    count > remaining[place] ? 'break the new ones (--list names them)' : 'write the smaller number';
  console.error(
    `${place} has ${count} comments wider than ${width} columns, scripts/comment-width.mjs says ${remaining[place]}: ${advice}.`,
  );
}
const free = wide.filter(({ path }) => placeOf(path) === undefined);
if (free.length > 0)
  console.error(
    `${free.length} comments are wider than ${width} columns, the formatter's width: break their lines.`,
  );
process.exitCode = free.length > 0 || grown.length > 0 ? 1 : 0;
