// A soak of the recovery inside a run. Usage: npm run test:soak -- [MINUTES] [SEED]. In one process, runs on
// MNIST follow one another, on two to eight workers, and a worker dies every few seconds. Each run must end
// with the hashes of the undisturbed one; memory must be flat, and nothing may hang. This process watches
// that one.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { generatorOf } from './kills/draw.mjs';
import { Memory } from './kills/memory.mjs';

/** Milliseconds without a new step, the end of an evaluation or of a run, after which the soak hangs. */
const PATIENCE = 60_000;
const LOOK = 1000;

const [minutes = 20, seed = 20_261_129] = process.argv.slice(2).map(Number);
if (!(minutes > 0)) throw new Error('The soak takes a number of minutes above 0.');
generatorOf(seed);

const program = fileURLToPath(new URL('kills/soakProcess.mjs', import.meta.url));
const child = fork(program, [String(minutes), String(seed)], { execArgv: ['--expose-gc'] });
const memory = new Memory();
let result;
let doing = 'the first run';
let advanced = performance.now();
let hangs = false;
const watch = setInterval(() => {
  const silent = performance.now() - advanced;
  if (silent < PATIENCE || hangs) return;
  hangs = true;
  fail(`The soak hangs: nothing has moved for ${(silent / 1000).toFixed(0)} s in ${doing}.`);
  child.kill('SIGKILL');
}, LOOK);
process.on('exit', () => child.kill('SIGKILL'));

child.on('message', (message) => {
  switch (message.kind) {
    case 'advance':
      advanced = performance.now();
      break;
    case 'run':
      advanced = performance.now();
      doing = message.what;
      break;
    case 'memory':
      memory.add(message.pass, message.rss);
      break;
    case 'pass':
      console.log(
        `pass ${message.pass}: ${message.runs} runs, ${message.deaths} deaths, ${memory.line(message.pass)}`,
      );
      memory.complete(message.pass);
      break;
    case 'result':
      result = message;
      break;
  }
});
child.on('close', (code, signal) => {
  clearInterval(watch);
  if (hangs) return;
  if (result === undefined)
    return fail(`The soak has ended with ${code ?? signal}, without a result, in ${doing}.`);
  const { runs, equal, deaths, lines } = result;
  console.log(
    `seed ${seed}: ${deaths} deaths in ${runs} runs, ${equal} of ${runs} with equal hashes, no hang`,
  );
  console.log(lines.join('\n'));
  console.log(memory.verdict());
  if (equal < runs || deaths === 0 || !memory.isFlat) process.exitCode = 1;
});

function fail(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}
