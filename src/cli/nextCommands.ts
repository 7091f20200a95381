// What to type next: lines that work as they stand, with the run's path and the data that it needs.
import { shellWord } from './shellWord.js';

export interface NextOptions {
  readonly directory: string;
  /** Whether there is anything left to train. */
  readonly done: boolean;
  readonly latent: number;
  /** As --data named it: a run knows its data by their fingerprint, not by where they are. */
  readonly data: string | undefined;
}

/** Commands, the likeliest first, each with what it is for. */
export function nextCommands({ directory, done, latent, data }: NextOptions): (readonly [string, string])[] {
  const run = shellWord(directory);
  const where = data === undefined ? '' : ` --data ${shellWord(data)}`;
  const program = programWords();
  const resume = [`${program} train --resume ${run}${where}`, 'go on'] as const;
  const sample = [`${program} sample ${run}`, 'new images'] as const;
  const evaluate = [`${program} evaluate ${run}${where}`, 'test ELBO in nats'] as const;
  const manifold = [`${program} manifold ${run}`, 'the latent plane'] as const;
  return [...(done ? [] : [resume]), sample, evaluate, ...(done && latent === 2 ? [manifold] : [])];
}

/** `next: ` and the commands below each other, with what they are for where that fits all of them. */
export function nextLines(commands: readonly (readonly [string, string])[], width: number): string[] {
  const label = 'next: ';
  const longest = Math.max(...commands.map(([line]) => line.length));
  const indented = (line: string, i: number) => `${i === 0 ? label : ' '.repeat(label.length)}${line}`;
  const explained = commands.map(([line, meaning], i) =>
    indented(`${line.padEnd(longest)}  # ${meaning}`, i),
  );
  if (explained.every((line) => line.length <= width)) return explained;
  return commands.map(([line], i) => indented(line, i));
}

/** How this program was called: what npx runs need not be on the path. */
export function programWords(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.npm_command === 'exec' ? 'npx lowerbound' : 'lowerbound';
}
