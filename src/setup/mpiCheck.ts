// Run by the set-up in two processes under a launcher, with a library's path as its argument: brings both the
// same bytes. Process 0 prints what it has seen.
import { availableParallelism } from 'node:os';
import { launchedBy } from '../collective/mpi/launcher.js';
import { openWorld } from '../collective/mpi/mpiWorld.js';
import type { CheckAnswer } from './mpi.js';

/** Bytes that each process sends: more than goes in one piece. */
const LENGTH = 1 << 20;

/** Milliseconds. */
const TIME_LIMIT = 20_000;

const library = process.argv[2]!;
const world = openWorld({ library, timeLimit: TIME_LIMIT, launched: launchedBy(process.env) });
const { rank, size } = world;
const byteOf = (sender: number, place: number) => (place * 7 + place * (place >> 8) + sender * 101) & 255;
const part = Uint8Array.from({ length: LENGTH }, (_, place) => byteOf(rank, place));
const all = new Uint8Array(new SharedArrayBuffer(LENGTH * size));
world.wait(world.allGather(part, all));
for (let i = 0; i < all.length; i++) {
  const right = byteOf(Math.floor(i / LENGTH), i % LENGTH);
  if (all[i] !== right) throw new Error(`byte ${i} of process ${rank} is ${all[i]}, but ${right} is right`);
}
world.wait(world.barrier());
if (rank === 0) {
  const answer: CheckAnswer = { processes: size, cores: availableParallelism() };
  process.stdout.write(`\n${JSON.stringify(answer)}\n`);
}
world.close();
