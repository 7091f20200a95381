import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LoadedModel } from '../coordinator/loadModel.js';
import { formatCount } from '../report/quantity.js';
import { writeFileAtomic } from '../runs/atomicFile.js';
import { makeDirectory, RunDirectory } from '../runs/runDirectory.js';
import { given } from './command.js';
import { pngPath } from './flags.js';
import { printJson, printLine } from './output.js';

export interface PictureFile {
  /** As the user named it: a run's directory or a checkpoint. */
  readonly run: string;
  readonly loaded: LoadedModel;
  /** e.g. `samples`. */
  readonly name: string;
  /** What --out says. */
  readonly out: string | undefined;
  readonly json: boolean | undefined;
}

export function outFlag(name: string) {
  return pngPath({
    alias: 'o',
    describe: 'The PNG to write',
    default: `${name}-step-<step>.png in the run's pictures/, or beside the checkpoint file`,
  });
}

/** Images from which on a picture takes seconds. */
const MANY = 1000;

/**
 * Says on standard error that many images are on their way: they are computed in one go, without a word in
 * between.
 */
export function announceImages(count: number, json: boolean | undefined): void {
  if (count < MANY || json) return;
  process.stderr.write(`Drawing ${formatCount(count)} images: this takes some seconds …\n`);
}

/** Writes a command's picture and prints where it is. */
export async function writePicture(png: Uint8Array, file: PictureFile): Promise<void> {
  const { loaded, out, json } = file;
  const path = out ?? (await defaultPath(file));
  await writeFileAtomic(path, png);
  const { path: checkpoint, step, parametersSha256, emaDecay } = loaded;
  if (json) printJson({ path, checkpoint, step, parametersSha256, ...given({ emaDecay }) });
  else printLine(path);
}

async function defaultPath({ run, loaded, name }: PictureFile): Promise<string> {
  const ofRun = statSync(run).isDirectory();
  const directory = ofRun ? new RunDirectory(run).picturesPath : dirname(loaded.path);
  if (ofRun) await makeDirectory(directory);
  return join(directory, `${name}-step-${String(loaded.step).padStart(9, '0')}.png`);
}
