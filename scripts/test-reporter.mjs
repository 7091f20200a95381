// What scripts/test.mjs tells of the tests: one line a file with its time; at the end every failure in full,
// what was skipped and why, and the counts. On a terminal a line at the bottom says which files run.

import { relative } from 'node:path';
import { inspect } from 'node:util';

const TESTS = 'build/test';

const { stdout } = process;
const live = stdout.isTTY === true;
const colour = live && !process.env.NO_COLOR;

/** Takes the events of node:test's run() of each file; several files may be under way at once. */
export class Report {
  #start = performance.now();
  #total;
  #files = new Set();
  #ended = 0;
  #passed = 0;
  #failures = [];
  /** Numbers of tests by reason. */
  #skipped = new Map();

  /** @param total the number of files. */
  constructor(total) {
    this.#total = total;
  }

  /** Takes all that a file does, and writes its line. */
  async follow(file, events) {
    const results = new FileResults(file);
    this.#files.add(file);
    this.#showProgress();
    for await (const { type, data } of events) {
      if (type === 'test:start') results.start(data);
      else if (type === 'test:pass') results.pass(data);
      else if (type === 'test:fail') results.fail(data);
      else if (type === 'test:stderr') stdout.write(`${clearLine()}${data.message}`);
    }
    this.#files.delete(file);
    this.#ended++;
    this.#passed += results.passed;
    this.#failures.push(...results.failures);
    for (const reason of results.skipped) this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
    stdout.write(`${clearLine()}${results.line()}\n`);
    this.#showProgress();
  }

  /** Writes the end; returns whether all tests passed. */
  end() {
    const seconds = (performance.now() - this.#start) / 1000;
    stdout.write(clearLine());
    for (const text of summary(this.#ended, this.#passed, this.#failures, this.#skipped, seconds)) {
      stdout.write(text);
    }
    return this.#failures.length === 0;
  }

  #showProgress() {
    if (!live || this.#files.size === 0) return;
    const place = `${this.#ended + this.#files.size} of ${this.#total}`;
    const names = [...this.#files].map(shortName).join(', ');
    const line = `${place}, ${duration((performance.now() - this.#start) / 1000)}: ${names}`;
    stdout.write(`${clearLine()}${line.slice(0, (stdout.columns || 80) - 1)}`);
  }
}

/** The tests of one file. */
class FileResults {
  passed = 0;
  failures = [];
  /** The reason of each that was skipped. */
  skipped = [];
  #file;
  #start = performance.now();
  /** Names of the tests and suites that are under way, from the outermost. */
  #path = [];

  constructor(file) {
    this.#file = file;
  }

  start({ name, nesting }) {
    this.#path.length = nesting;
    this.#path[nesting] = name;
  }

  pass(data) {
    const { skip } = data;
    const isSkipped = skip !== undefined && skip !== false;
    // The tests of a suite that is skipped are not reported, nor known: the suite counts as one.
    if (isSuite(data) && !isSkipped) return;
    if (isSkipped) this.skipped.push(typeof skip === 'string' && skip !== '' ? skip : 'without a reason');
    else this.passed++;
  }

  fail(data) {
    const { error } = data.details;
    // A suite fails with its tests, which have been reported; a file with its tests, too.
    if (error?.failureType === 'subtestsFailed') return;
    this.failures.push({
      name: [...this.#path.slice(0, data.nesting), data.name].join(' > '),
      place: `${shortName(data.file ?? this.#file)}${data.line === undefined ? '' : `:${data.line}`}`,
      error: typeof error?.cause === 'object' ? error.cause : describe(error),
    });
  }

  /** The line of the file, once it has ended. */
  line() {
    const [skipped, failed] = [this.skipped.length, this.failures.length];
    const word = failed > 0 ? red('FAIL') : green('ok  ');
    const counts = [`${this.passed + failed + skipped} tests`];
    if (skipped > 0) counts.push(`${skipped} skipped`);
    if (failed > 0) counts.push(red(`${failed} failed`));
    const seconds = `${((performance.now() - this.#start) / 1000).toFixed(1)} s`.padStart(8);
    return `${word} ${seconds}  ${shortName(this.#file)}: ${counts.join(', ')}`;
  }
}

function* summary(files, passed, failures, skipped, seconds) {
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
