// Fails where a comment is wider than the formatter's lines: Biome and Prettier leave comments alone. Part of
// npm run lint.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const width = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).formatter.lineWidth;

/** Whatever holds code of this package: TypeScript, AssemblyScript, and the scripts. */
const folders = ['src', 'bench', 'test', 'scripts', 'examples'];

/**
 * Written by scripts/make-glyphs.mjs, with the font's licence word for word and line for line, and by
 * scripts/kernel-bindings.mjs, with the comments of the kernels.
 */
const generated = ['src/report/glyphs.ts', 'src/kernels/bindings.ts'];

/** Whether a line is a comment, or code with a comment behind it. */
const hasComment = (line) => /^\s*(?:\/\/|\/\*|\*)/.test(line) || /[\s;,{}()]\/\/ /.test(line);

/** A combining mark, as in x̂, stands on the letter before it. */
const columnsOf = (line) => [...line.replace(/\p{Mark}/gu, '')].length;

const wide = folders
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map(
      (name) => `${folder}/${name.replaceAll('\\', '/')}`,
    ),
  )
  .filter((path) => /\.m?[jt]s$/.test(path) && !path.includes('/node_modules/') && !generated.includes(path))
  .sort()
  .flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .map((line, index) => ({ path, line, number: index + 1, columns: columnsOf(line) }))
      .filter(({ line, columns }) => columns > width && hasComment(line)),
  );

for (const { path, number, columns } of wide) console.error(`${path}:${number}: ${columns} columns`);
if (wide.length > 0)
  console.error(
    `${wide.length} comments are wider than ${width} columns, the formatter's width: break their lines.`,
  );
process.exitCode = wide.length > 0 ? 1 : 0;
