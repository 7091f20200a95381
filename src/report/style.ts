import { styleText } from 'node:util';

/** Bits of colour: none, 16 colours, 256, or all. */
export type ColorDepth = 1 | 4 | 8 | 24;

/** What is written to: a terminal says so, and how wide it is. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  getColorDepth?(env?: object): number;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How many colours the stream takes. FORCE_COLOR (1, 2, 3: 16 colours, 256, all; 0: none) stands above
 * NO_COLOR (any text: none), as in Node itself; without them it is what Node knows of the terminal, and none
 * elsewhere.
 */
export function colorDepth(stream: OutputStream, env: Environment = process.env): ColorDepth {
  if (env.FORCE_COLOR !== undefined) return forcedDepth(env.FORCE_COLOR);
  if (env.NO_COLOR) return 1;
  if (stream.isTTY !== true) return 1;
  const depth = stream.getColorDepth?.(env) ?? 1;
  return depth >= 24 ? 24 : depth >= 8 ? 8 : depth >= 4 ? 4 : 1;
}

function forcedDepth(value: string): ColorDepth {
  if (value === '' || value === '1' || value === 'true') return 4;
  return value === '2' ? 8 : value === '3' ? 24 : 1;
}

/** Marks parts of a text where there is colour, and leaves them as they are where there is none. */
export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  error(text: string): string;
  name(text: string): string;
}

export function styleFor(depth: ColorDepth): Style {
  const marked = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    // Whether there is colour is decided above: versions of Node differ in what they ask of the stream.
    depth === 1 || text === '' ? text : styleText(format, text, { validateStream: false });
  return {
    strong: marked('bold'),
    faint: marked('dim'),
    good: marked('green'),
    warning: marked('yellow'),
    error: marked('red'),
    name: marked('cyan'),
  };
}

export const plain: Style = styleFor(1);
