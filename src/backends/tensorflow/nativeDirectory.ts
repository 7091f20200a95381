import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** The version of @tensorflow/tfjs-node that `lowerbound setup native` installs. */
export const NATIVE_VERSION = '4.22.0';

/** Names the folder of the installation where it is not the default one. */
export const NATIVE_VARIABLE = 'LOWERBOUND_NATIVE_DIR';

/** What of the surroundings decides the folder. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

export function theseSurroundings(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() };
}

/**
 * Where `lowerbound setup native` installs and the backend looks: LOWERBOUND_NATIVE_DIR, or a folder of the
 * user's own data, which is the same for a clone, an installed package and every version of Node.
 */
export function nativeDirectory(surroundings: Surroundings = theseSurroundings()): string {
  return (
    chosenDirectory(surroundings) ??
    join(dataDirectory(surroundings), 'lowerbound', `tfjs-node-${NATIVE_VERSION}`)
  );
}

/** The directory that LOWERBOUND_NATIVE_DIR names; undefined where it is not set. */
export function chosenDirectory({ env }: Surroundings = theseSurroundings()): string | undefined {
  const chosen = env[NATIVE_VARIABLE];
  return chosen ? resolve(chosen) : undefined;
}

/** XDG Base Directory Specification 0.8 on Linux; the system's own place elsewhere. */
function dataDirectory({ env, platform, home }: Surroundings): string {
  const { XDG_DATA_HOME: xdg, LOCALAPPDATA: local } = env;
  // The specification has relative paths ignored.
  if (xdg && isAbsolute(xdg)) return xdg;
  if (platform === 'win32') return local || join(home, 'AppData', 'Local');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return join(home, '.local', 'share');
}
