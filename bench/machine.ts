import { availableParallelism, cpus, totalmem } from 'node:os';
import { canFuse, choosePlatform, type Platform } from '#src/kernels/platform.js';

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  readonly arithmetic: string;
  readonly tile: string;
  readonly revectorized: boolean;
  readonly date: string;
}

/** As a run without flags has it. */
export function defaultPlatform(): Platform {
  return choosePlatform({ revectorize: true });
}

/** Both modes, where the machine fuses. */
export function arithmetics(): ('portable' | 'fused')[] {
  return canFuse() ? ['portable', 'fused'] : ['portable'];
}

export function describeMachine(): Machine {
  const { arithmetic, tile, revectorized } = defaultPlatform();
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    arithmetic,
    tile,
    revectorized,
    date: new Date().toISOString(),
  };
}

export function machineLine({ cpu, cores, node, arithmetic, tile, revectorized }: Machine): string {
  const width = revectorized ? '256-bit (re-vectorised)' : '128-bit';
  return `${cpu}, ${cores} cores, Node ${node}; by default ${arithmetic} arithmetic, tile ${tile}, ${width}`;
}
