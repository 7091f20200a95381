// A reporter for node:test: one line a file with its time; at the end every failure in full, what was skipped
// and why, and the counts. On a terminal a line at the bottom says which file runs.

import { relative } from 'node:path';
import { inspect } from 'node:util';

const TESTS = 'build/test';

const { stdout } = process;
const live = stdout.isTTY === true;
const colour = live && !process.env.NO_COLOR;
const total = process.argv.slice(1).filter((argument) => argument.endsWith('.test.js')).length;

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter by its default export.
export default async function* report(source) {
  const start = performance.now();
  const results = new Results();
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      yield* results.start(data);
      if (live) yield progress(results, start);
    } else if (type === 'test:pass') results.pass(data);
    else if (type === 'test:fail') results.fail(data);
    else if (type === 'test:stderr') yield `${clearLine()}${data.message}`;
  }
  yield* results.endOfFile();
  yield* summary(results, (performance.now() - start) / 1000);
}

class Results {
  files = 0;
  passed = 0;
  failures = [];
  /** Numbers of tests by reason. */
  skipped = new Map();
  #file;
  #counts;
  /** Names of the tests and suites that are under way, from the outermost. */
  #path = [];

  get file() {
    return this.#file;
  }

  *start({ file, name, nesting }) {
    if (nesting === 0 && file !== undefined && file !== this.#file) {
      yield* this.endOfFile();
      this.#begin(file);
    }
    this.#path.length = nesting;
    this.#path[nesting] = name;
  }

  pass(data) {
    this.#time(data);
    const { skip } = data;
    const skipped = skip !== undefined && skip !== false;
    // The tests of a suite that is skipped are not reported, nor known: the suite counts as one.
    if (isSuite(data) && !skipped) return;
    if (!skipped) {
      this.passed++;
      this.#count('passed');
      return;
    }
    const reason = typeof skip === 'string' && skip !== '' ? skip : 'without a reason';
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
    this.#count('skipped');
  }

  fail(data) {
    this.#time(data);
    const { error } = data.details;
    // A suite fails with its tests, which have been reported; a file with its tests, too.
    if (error?.failureType === 'subtestsFailed') return;
    if (this.#file === undefined) this.#begin(data.file ?? data.name);
    this.failures.push({
      name: [...this.#path.slice(0, data.nesting), data.name].join(' > '),
      place: `${shortName(data.file ?? data.name)}${data.line === undefined ? '' : `:${data.line}`}`,
      error: typeof error?.cause === 'object' ? error.cause : describe(error),
    });
    this.#count('failed');
  }

  /** The line of the file that has ended. */
  *endOfFile() {
    if (this.#file === undefined) return;
    const { passed, skipped, failed, milliseconds } = this.#counts;
    const word = failed > 0 ? red('FAIL') : green('ok  ');
    const counts = [`${passed + failed + skipped} tests`];
    if (skipped > 0) counts.push(`${skipped} skipped`);
    if (failed > 0) counts.push(red(`${failed} failed`));
    const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(8);
    yield `${clearLine()}${word} ${seconds}  ${shortName(this.#file)}: ${counts.join(', ')}\n`;
    this.#file = undefined;
  }

  #begin(file) {
    this.#file = file;
    this.#counts = { passed: 0, skipped: 0, failed: 0, milliseconds: 0 };
    this.files++;
  }

  #count(outcome) {
    if (this.#file !== undefined) this.#counts[outcome]++;
  }

  #time({ nesting, details }) {
    if (nesting === 0 && this.#file !== undefined) this.#counts.milliseconds += details.duration_ms;
  }
}

function* summary({ files, passed, failures, skipped }, seconds) {
  for (const { name, place, error } of failures) {
    const text = (
      typeof error === 'string' ? error : inspect(error, { colors: colour, depth: 5 })
    ).replaceAll(/^/gm, '    ');
    yield `\n${red('FAIL')} ${name}\n    ${place}\n${text}\n`;
  }
  const skips = [...skipped].sort(([, a], [, b]) => b - a);
  if (skips.length > 0) yield '\nSkipped:\n';
  for (const [reason, count] of skips) yield `${String(count).padStart(6)}  ${reason}\n`;
  const skippedCount = skips.reduce((sum, [, count]) => sum + count, 0);
  const failed = failures.length > 0 ? red(`${failures.length} failed`) : '0 failed';
  yield `\n${files} files in ${duration(seconds)}: ${passed} tests passed, ${skippedCount} skipped, ${failed}\n`;
}

function progress({ files, file }, start) {
  if (file === undefined) return '';
  const place = total > 0 ? `${files} of ${total}` : `${files}`;
  const line = `${place}, ${duration((performance.now() - start) / 1000)}: ${shortName(file)}`;
  return `${clearLine()}${line.slice(0, (stdout.columns || 80) - 1)}`;
}

/**
 * Describes a file that ended without saying which test failed; what it wrote to stderr stands further up.
 */
function describe({ message, exitCode, signal }) {
  const end = typeof signal === 'string' ? `ended by ${signal}` : `exit code ${exitCode}`;
  return `${message} (${end})`;
}

function isSuite({ details }) {
  return details.type === 'suite';
}

function shortName(file) {
  return relative(TESTS, file).replace(/\.test\.js$/, '');
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function clearLine() {
  return live ? '\r\x1b[K' : '';
}

function green(text) {
  return colour ? `\x1b[32m${text}\x1b[39m` : text;
}

function red(text) {
  return colour ? `\x1b[31m${text}\x1b[39m` : text;
}
