import { UsageError } from '../errors.js';
import type { LayerFields } from './layers/layerType.js';
import { layerTypeOf } from './layers/registry.js';

/**
 * The layers' names: as given, or as Keras would number them (conv2d, conv2d_1, …), passing over given ones.
 *
 * @param where begins the message, e.g. `Model "cvae": the encoder`.
 * @throws UsageError where two layers are given the same name.
 */
export function layerNames(specs: readonly LayerFields[], where: string): string[] {
  const taken = new Set<string>();
  for (const [index, { name }] of specs.entries()) {
    if (name === undefined) continue;
    if (taken.has(name)) {
      const first = specs.findIndex((spec) => spec.name === name);
      throw new UsageError(`${where} has two layers named "${name}", at positions ${first} and ${index}.`);
    }
    taken.add(name);
  }
  const counts = new Map<string, number>();
  return specs.map((spec) => {
    if (spec.name !== undefined) return spec.name;
    const { stem } = layerTypeOf(spec);
    let count = counts.get(stem) ?? 0;
    let name = numbered(stem, count++);
    while (taken.has(name)) name = numbered(stem, count++);
    counts.set(stem, count);
    return name;
  });
}

function numbered(stem: string, count: number): string {
  return count === 0 ? stem : `${stem}_${count}`;
}
