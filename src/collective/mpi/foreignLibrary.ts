// Shared libraries of C, called through koffi, which is an optional dependency.
import { createRequire } from 'node:module';
import { UsageError } from '../../errors.js';

/** What a C function takes: numbers, pointers as bigint, arrays by their address. */
export type Argument = number | bigint | string | NodeJS.TypedArray;

/** A C function that returns an int. */
export type IntFunction = (...values: Argument[]) => number;

/** The types of C that are used here. */
export type CType = 'int' | 'intptr_t' | 'void *';

export interface ForeignLibrary {
  /** The address of a symbol; undefined where the library has none of the name. */
  address(name: string): bigint | undefined;
  /** @throws Error where the library has no function of the name. */
  intFunction(name: string, parameters: readonly CType[]): IntFunction;
}

/** What is used of koffi. Its own types are not there where it could not be installed. */
interface Koffi {
  config(sizes: { readonly sync_stack_size: number }): unknown;
  load(path: string | null): KoffiLibrary;
}

interface KoffiLibrary {
  func(name: string, result: string, parameters: readonly string[]): (...values: Argument[]) => unknown;
  symbol(name: string): bigint;
}

/** Bytes of the stack that C functions run on: MPI's need more than koffi's default, 1 MiB. */
const STACK = 8 * 2 ** 20;

/**
 * How a library is opened. GLOBAL: MPI's plug-ins look for its symbols among those of the process. NODELETE:
 * its threads run on while the process ends.
 */
const OPEN_FLAGS: Partial<Record<NodeJS.Platform, number>> = {
  linux: 0x2 | 0x100 | 0x1000,
  darwin: 0x2 | 0x8 | 0x80,
};

/**
 * Opens a shared library for the rest of the process.
 * @param path or a name, which the system's loader then looks for.
 * @param environment what the library must find in C's environment, unless something else stands there. In a
 * worker thread Node's process.env is another one.
 * @throws UsageError where koffi is not installed, the platform has no such libraries, or it cannot be
 * loaded.
 */
export function openForeignLibrary(
  path: string,
  environment: Readonly<Record<string, string>>,
): ForeignLibrary {
  const flags = OPEN_FLAGS[process.platform];
  if (flags === undefined) {
    throw new UsageError(`MPI is used on Linux and macOS, and this is ${process.platform}.`);
  }
  const koffi = loadKoffi();
  // With these flags first: koffi's own way to open it has others, and finds it open.
  const self = koffi.load(null);
  const setVariable = self.func('setenv', 'int', ['str', 'str', 'int']);
  for (const [name, value] of Object.entries(environment)) setVariable(name, value, 0);
  const handle = self.func('dlopen', 'void *', ['str', 'int'])(path, flags);
  if (handle === null) {
    const reason = self.func('dlerror', 'str', [])();
    throw new UsageError(`The library ${path} cannot be loaded: ${String(reason)}.`);
  }
  const library = koffi.load(path);
  return {
    address(name) {
      try {
        return library.symbol(name);
      } catch {
        return undefined;
      }
    },
    intFunction: (name, parameters) => library.func(name, 'int', parameters) as IntFunction,
  };
}

/** Ends the process, whatever its threads do: Node would wait for one that is inside a library. */
export function exitAtOnce(code: number): void {
  loadKoffi().load(null).func('_exit', 'void', ['int'])(code);
}

let loaded: Koffi | undefined;

/** @throws UsageError where it is not installed. */
function loadKoffi(): Koffi {
  if (loaded !== undefined) return loaded;
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new UsageError(
      'MPI needs the package koffi, an optional dependency, and it cannot be loaded here. Install it beside this ' +
        'package: npm install koffi.',
      { cause },
    );
  }
  koffi.config({ sync_stack_size: STACK });
  loaded = koffi;
  return koffi;
}
