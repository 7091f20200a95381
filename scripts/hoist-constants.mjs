const CONSTANT = /^(\s*)(v128\.const i32x4 (.*))$/;
const LOOP = /^(\s*)loop\b/;

/** V8 makes these two with one instruction and no load: nothing is gained by keeping them in a register. */
const CHEAP = new Set(['0x00000000', '0xffffffff'].map((word) => Array(4).fill(word).join(' ')));

/**
 * A module's text in which every vector constant of a loop is a local, set before the outermost loop around
 * it. V8 since Turboshaft (Node 22) builds a constant anew, in four to ten instructions, in every round; the
 * optimiser of the kernels' compiler puts them back into the loops, so this comes after it.
 * @param {string} text in the flat form: one instruction a line, a loop's `end` indented like its `loop`.
 */
export function hoistConstants(text) {
  return text
    .split(/^(?= \(func )/m)
    .map((part) => (part.startsWith(' (func ') ? hoistInFunction(part) : part))
    .join('');
}

function hoistInFunction(text) {
  const locals = new Map();
  const lines = text.split('\n');
  const out = [];
  for (let i = 0; i < lines.length; i++) {
    const indent = LOOP.exec(lines[i])?.[1];
    if (indent === undefined) {
      out.push(lines[i]);
      continue;
    }
    const end = lines.indexOf(`${indent}end`, i);
    if (end < 0) throw new Error(`The kernels' text has a loop without its 'end': ${lines[0]}`);
    out.push(...hoistInLoop(lines.slice(i, end + 1), indent, locals));
    i = end;
  }
  const declarations = [...locals.values()].map((name) => `  (local ${name} v128)`);
  out.splice(1, 0, ...declarations);
  return out.join('\n');
}

/** @param {Map<string, string>} locals names by constant, of the whole function; new ones are added. */
function hoistInLoop(lines, indent, locals) {
  const constants = new Set();
  const body = lines.map((line) => {
    const [, space, constant, words] = CONSTANT.exec(line) ?? [];
    if (constant === undefined || CHEAP.has(words)) return line;
    if (!locals.has(constant)) locals.set(constant, `$constant${locals.size}`);
    constants.add(constant);
    return `${space}local.get ${locals.get(constant)}`;
  });
  const settings = [...constants].flatMap((constant) => [
    `${indent}${constant}`,
    `${indent}local.set ${locals.get(constant)}`,
  ]);
  return [...settings, ...body];
}
