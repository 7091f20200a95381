import type { OutputStream } from './style.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Columns of text where nobody says how many there are: in a pipe, and in a file. */
const USUAL_COLUMNS = 80;

/** The terminal's columns; in a pipe those that COLUMNS names, else 80. */
export function columnsOf(stream: OutputStream, env: Environment = process.env): number {
  if (stream.columns !== undefined && stream.columns > 0) return stream.columns;
  const named = Number(env.COLUMNS);
  return Number.isSafeInteger(named) && named > 0 ? named : USUAL_COLUMNS;
}

/** Whether the terminal draws block characters, by all that its environment says. */
export function showsUnicode(env: Environment = process.env, platform: string = process.platform): boolean {
  if (env.TERM === 'dumb' || env.TERM === 'linux') return false;
  if (platform === 'win32') return env.WT_SESSION !== undefined || env.TERM_PROGRAM === 'vscode';
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((text) => text);
  // Containers set none, and are looked at in terminals of today.
  return locale === undefined || /utf-?8/i.test(locale);
}
