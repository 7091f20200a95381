// Everything that a user can do wrong on the command line: a sentence on standard error, code 2, and nothing
// else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runProgram } from './program.js';
import { assertRefused, temporaryDirectory } from './smallRun.js';

const commands =
  'Commands are train, evaluate, infer, sample, reconstruct, interpolate, manifold, inspect, verify, compare, bench, setup, completion; "lowerbound --help" explains them.';
const see = (command: string) => `See "lowerbound ${command} --help".`;
const twice = (flag: string) => `${flag} is given more than once, and which one counts would be a guess.`;

const refusals: readonly (readonly [line: string, message: string])[] = [
  ['', `No command is given. ${commands}`],
  ['trian', `There is no command "trian"; did you mean train? ${commands}`],
  ['frobnicate', `There is no command "frobnicate". ${commands}`],
  ['--json train', `The command comes first, but "--json" is given. ${commands}`],
  ['train cvae', `train takes only flags: "cvae" is too much. ${see('train')}`],
  ['train -- cvae', `train takes only flags: "cvae" is too much. ${see('train')}`],
  ['evaluate a b', `evaluate takes one RUN and flags: "b" is too much. ${see('evaluate')}`],
  [
    'evaluate',
    `RUN is missing: a run's directory (its newest checkpoint), or a checkpoint file. ${see('evaluate')}`,
  ],
  ['evaluate ""', `RUN takes the path of a run's directory or of a checkpoint, not "".`],
  ['evaluate a --run b', `There is no flag --run. ${see('evaluate')}`],
  ['train --workres 2', `There is no flag --workres; did you mean --workers? ${see('train')}`],
  ['train --batchSize=2', `There is no flag --batchSize; did you mean --batch-size? ${see('train')}`],
  ['train --no-picture', `There is no flag --no-picture; did you mean --no-pictures? ${see('train')}`],
  ['train --no-workers', `There is no flag --no-workers; did you mean --workers? ${see('train')}`],
  ['train -w 2', `There is no flag -w. ${see('train')}`],
  ['train --workers 1 --workers=2', `${twice('--workers')} ${see('train')}`],
  ['train --pictures --no-pictures', `${twice('--pictures')} ${see('train')}`],
  ['train -j 1 --workers 2', `${twice('--workers')} ${see('train')}`],
  ['train -b4 -b 4', `${twice('--batch-size')} ${see('train')}`],
  ['train -j', `-j needs a value. ${see('train')}`],
  ['train --lr', `--lr needs a value. ${see('train')}`],
  ['train -j two', '--workers takes a whole number from 1 up, not "two".'],
  ['train --j 2', `There is no flag --j. ${see('train')}`],
  ['train -lr 1', `There is no flag -lr. ${see('train')}`],
  [
    'infer a --examples 8:8',
    '--examples takes a range FIRST:END of whole numbers from 0 up, FIRST below END, not "8:8".',
  ],
  [
    'infer a --examples 3',
    '--examples takes a range FIRST:END of whole numbers from 0 up, FIRST below END, not "3".',
  ],
  ['infer a --npy draws', '--npy takes the path of a file that ends in .npy, not "draws".'],
  ['infer a --method gibbs', '--method takes hmc or variational, not "gibbs".'],
  ['infer a --draws 15', '--draws takes a whole number from 16 up, not "15".'],
  [
    'infer a --examples 0:2 --image 3',
    '--image and --examples both say which test images: leave one of them out.',
  ],
  ['inspect run -j 2', `There is no flag -j. ${see('inspect')}`],
  ['inspect run -j2', `There is no flag -j2. ${see('inspect')}`],
  ['verify', `RUN is missing: a run's directory; nothing is written there. ${see('verify')}`],
  ['verify run --from -1', '--from takes a whole number from 0 up, not "-1".'],
  ['verify run --to last', '--to takes a whole number from 0 up, not "last".'],
  ['verify nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  ['completion fish', 'SHELL takes bash or zsh, not "fish".'],
  ['completion bash zsh', `completion takes one SHELL and flags: "zsh" is too much. ${see('completion')}`],
  ['train --workers', `--workers needs a value. ${see('train')}`],
  ['train --workers --json', `--workers needs a value. ${see('train')}`],
  ['train --json=yes', `--json takes no value. ${see('train')}`],
  ['train --workers two', '--workers takes a whole number from 1 up, not "two".'],
  ['train --workers 0', '--workers takes a whole number from 1 up, not "0".'],
  ['train --workers 1.5', '--workers takes a whole number from 1 up, not "1.5".'],
  ['train --workers=', '--workers takes a whole number from 1 up, not "".'],
  ['train --epochs 9007199254740992', '--epochs takes a whole number from 1 up, not "9007199254740992".'],
  ['train --beta -1', '--beta takes a number from 0 up, not "-1".'],
  ['train --beta 1e999', '--beta takes a number from 0 up, not "1e999".'],
  ['train --learning-rate 0', '--learning-rate takes a number above 0, not "0".'],
  ['train --barrier-timeout soon', '--barrier-timeout takes a number above 0, not "soon".'],
  ['train --kl analitic', '--kl takes analytic or monte-carlo, not "analitic". Did you mean analytic?'],
  ['train --kl exact', '--kl takes analytic or monte-carlo, not "exact".'],
  ['train --backend wsam', '--backend takes simd, wasm, native or cpu, not "wsam". Did you mean wasm?'],
  ['evaluate run --backend gpu', '--backend takes simd, wasm, native or cpu, not "gpu". Did you mean cpu?'],
  ['train --binarize toString', '--binarize takes threshold, dynamic, static or none, not "toString".'],
  ['train --seed -1', '--seed takes a whole number from 0 to 18446744073709551615, not "-1".'],
  [
    'train --seed 18446744073709551616',
    '--seed takes a whole number from 0 to 18446744073709551615, not "18446744073709551616".',
  ],
  ['train --optimizer adan', '--optimizer takes adam, adamw or sgd, not "adan". Did you mean adam?'],
  ['train --objective elob', '--objective takes elbo or iwae, not "elob". Did you mean elbo?'],
  ['train --inference mcmc', '--inference takes variational or hmc, not "mcmc".'],
  ['train --hmc-transitions 0', '--hmc-transitions takes a whole number from 1 to 1000, not "0".'],
  ['train --hmc-step-size 0', '--hmc-step-size takes a number above 0, not "0".'],
  ['train --likelihood normal', '--likelihood takes bernoulli or gaussian, not "normal".'],
  ['train --sigma 0', '--sigma takes a number from 0.001 to 1000, not "0".'],
  ['train --prior vamp', '--prior takes standard-normal or mixture, not "vamp".'],
  ['train --prior-components 0', '--prior-components takes a whole number from 1 to 1000, not "0".'],
  ['train --weight-decay -1', '--weight-decay takes a number from 0 up, not "-1".'],
  ['train --warmup-epochs two', '--warmup-epochs takes a number from 0 up, not "two".'],
  [
    'train --learning-rate-schedule cosin',
    '--learning-rate-schedule takes constant, warmup, cosine or stages, not "cosin". Did you mean cosine?',
  ],
  ['train --data ""', '--data takes the path of a directory, not "".'],
  ['sample run --count 10001', '--count takes a whole number from 1 to 10000, not "10001".'],
  ['sample run --out digits.jpg', '--out takes the path of a file that ends in .png, not "digits.jpg".'],
  ['manifold run --side 101', '--side takes a whole number from 1 to 100, not "101".'],
  ['interpolate run --steps 1', '--steps takes a whole number from 2 to 100, not "1".'],
  [
    'interpolate run --from 1,,2',
    '--from takes one or more whole numbers from 0 up, separated by commas, not "1,,2".',
  ],
  ['interpolate run --to 3', '--to is given without --from: each row goes from one image to another.'],
  [
    'interpolate run --from 1,2 --to 3',
    '--from names 2 test images, but --to names 1: each row needs one of each.',
  ],
  ['inspect nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  ['train --resume nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  [
    'train --config nowhere.json',
    "Cannot read the config file nowhere.json: ENOENT: no such file or directory, stat 'nowhere.json'.",
  ],
  ['train --config ""', '--config takes the path of a config.json, not "".'],
  [
    'train --config one/config.json --resume two',
    'A resumed run keeps the config that it was started with: give either a run to resume or a config for a new one.',
  ],
  ['train --data nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  [
    'train --model cave',
    'There is no model preset "cave"; did you mean "cvae"? Presets are cvae, mlp, iwae; a model of your own is a JSON ' +
      'file (docs/models.md).',
  ],
  ['bench cvae', `bench takes only flags: "cvae" is too much. ${see('bench')}`],
  ['bench --seconds 0', '--seconds takes a number above 0, not "0".'],
  [
    'bench --model cave',
    'There is no model preset "cave"; did you mean "cvae"? Presets are cvae, mlp, iwae; a model of your own is a JSON ' +
      'file (docs/models.md).',
  ],
  ['bench --data nowhere', 'nowhere: there is no such file or directory. Check the path.'],
  ['setup', `WHAT is missing: what is set up: native or mpi. ${see('setup')}`],
  ['setup wasm', 'WHAT takes native or mpi, not "wasm": nothing else needs a set-up.'],
  ['setup mpi --force', `setup mpi takes no --force. ${see('setup')}`],
  ['setup mpi --directory a', `setup mpi takes no --directory. ${see('setup')}`],
  ['setup native --mpi-library a', `setup native takes no --mpi-library. ${see('setup')}`],
  ['setup mpi --mpi-library nowhere', 'There is no nowhere, which --mpi-library names.'],
  ['setup native --directory ""', '--directory takes the path of a directory, not "".'],
  [
    'train --workers 9',
    '9 workers cannot share 8 shards: a shard belongs to one worker. Ask for at most 8 workers, or start the run with ' +
      'more shards (which changes its bits).',
  ],
];

const words = (line: string) => (line.match(/\S+/g) ?? []).map((word) => (word === '""' ? '' : word));

describe('the command line refuses', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  for (const [line, message] of refusals) {
    it(`lowerbound ${line}`, async () => {
      assertRefused(await runProgram(words(line), directory), message);
    });
  }
});

describe('one of several processes of a launcher', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const launchers = {
    "Open MPI's mpirun": ['OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_RANK'],
    "MPICH's mpirun": ['PMI_SIZE', 'PMI_RANK'],
    "Slurm's srun": ['SLURM_STEP_NUM_TASKS', 'SLURM_PROCID'],
  } as const;
  const start = (line: string, [size, rank]: readonly [string, string], own: number, processes = 3) =>
    runProgram(words(line), directory, { [size]: String(processes), [rank]: String(own) });

  for (const [launcher, variables] of Object.entries(launchers)) {
    it(`${launcher}: the first one refuses work that is not shared, the others leave`, async () => {
      assertRefused(
        await start('compare estimators nowhere', variables, 0),
        `${launcher} has started 3 processes, but compare is the work of one: start it by itself. Where each process ` +
          `is to work for itself, take the variable ${variables[0]} out of its environment.`,
      );
      assert.deepEqual(await start('compare estimators nowhere', variables, 2), {
        ...{ code: 0, stdout: '', stderr: '' },
      });
    });
  }

  const mpirun = launchers["Open MPI's mpirun"];
  for (const line of ['sample nowhere', 'manifold nowhere', 'verify nowhere', 'bench']) {
    const [name] = words(line);
    it(`${name} is not shared`, async () => {
      const { code, stderr } = await start(line, mpirun, 0);
      assert.equal(code, 2);
      assert.match(
        stderr,
        new RegExp(`^Open MPI's mpirun has started 3 processes, but ${name} is the work of one: `),
      );
    });
  }

  it('one that the launcher has started alone works as ever', async () => {
    assertRefused(
      await start('sample nowhere', mpirun, 0, 1),
      'nowhere: there is no such file or directory. Check the path.',
    );
  });
});
