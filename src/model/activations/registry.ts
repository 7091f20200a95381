// The only place where names of activations become implementations.
import type { Activation, Settings } from './activation.js';
import { gelu } from './gelu.js';
import { leakyRelu } from './leakyRelu.js';
import { relu } from './relu.js';
import { sigmoid } from './sigmoid.js';
import { silu } from './silu.js';
import { tanh } from './tanh.js';

const ACTIVATIONS = { relu, tanh, sigmoid, leakyRelu, gelu, silu } as const;

export type ActivationName = keyof typeof ACTIVATIONS;

type SettingsOf<N extends ActivationName> = (typeof ACTIVATIONS)[N] extends Activation<infer S> ? S : never;

/** An activation as JSON has it: its name as `type`, and its settings where they are not the defaults. */
export type ActivationFields = {
  readonly [N in ActivationName]: { readonly type: N } & Partial<SettingsOf<N>>;
}[ActivationName];

export const activationNames = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** Called with the settings that `activationSettings` gives, which every activation reads as its own. */
export function activationOf(name: ActivationName): Activation<Settings> {
  return ACTIVATIONS[name] as Activation<Settings>;
}

/** The settings of a spec, completed by the defaults; undefined for an activation that has none. */
export function activationSettings({ type, ...given }: ActivationFields): Settings | undefined {
  const { settings } = activationOf(type);
  const names = Object.keys(settings);
  if (names.length === 0) return undefined;
  const values: Partial<Settings> = given;
  return Object.fromEntries(names.map((name) => [name, values[name] ?? settings[name]!.default]));
}
