import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imageLines, previewLines } from '#src/report/halfBlocks.js';
import { visibleLength } from '#src/report/wrap.js';

const ESCAPE = '\u001b';

/** Two images of 3 × 2 pixels: a ramp, and its negative. */
const ramp = [0, 0.2, 0.4, 0.6, 0.8, 1];
const images = {
  values: Float32Array.from([...ramp, ...ramp.map((value) => 1 - value)]),
  count: 2,
  height: 3,
  width: 2,
  channels: 1,
};

describe('a picture in half-blocks', () => {
  it('has two pixels in each character, of all colours where the terminal has them', () => {
    const grey = (upper: number, lower: number) =>
      `${ESCAPE}[38;2;${upper};${upper};${upper};48;2;${lower};${lower};${lower}m▀`;
    const alone = (value: number) => `${ESCAPE}[38;2;${value};${value};${value};49m▀`;
    assert.deepEqual(imageLines(images, 2, 24), [
      `  ${grey(0, 102)}${grey(51, 153)}${ESCAPE}[0m ${grey(255, 153)}${grey(204, 102)}${ESCAPE}[0m`,
      `  ${alone(204)}${alone(255)}${ESCAPE}[0m ${alone(51)}${alone(0)}${ESCAPE}[0m`,
    ]);
  });

  it('takes the greys of 256 colours, from black to white', () => {
    const columns = Float32Array.from([0, 0.5, 1, 0.04, 0.5, 0.96]);
    const [line] = imageLines({ values: columns, count: 1, height: 2, width: 3, channels: 1 }, 1, 8);
    // 24 greys, 232 to 255, between 16 and 231: 0.5 is 12.5 of 25 steps.
    const codes = [...line!.matchAll(/38;5;(\d+);48;5;(\d+)m▀/g)].map(([, upper, lower]) => [upper, lower]);
    assert.deepEqual(codes, [
      ['16', '232'],
      ['244', '244'],
      ['231', '255'],
    ]);
  });

  it('has shades without colour, each of two pixels', () => {
    const values = Float32Array.from([0, 0.2, 0.5, 0.8, 1, 0, 0.3, 0.5, 0.7, 1]);
    const lines = imageLines({ values, count: 1, height: 2, width: 5, channels: 1 }, 1, 1);
    assert.deepEqual(lines, ['   ░▒▓█']);
    assert.deepEqual(imageLines({ ...images, count: 1 }, 1, 4), ['  ░▒', '  ▓█']);
  });

  it('repeats no code that already holds', () => {
    const values = new Float32Array(8).fill(1);
    const [line] = imageLines({ values, count: 1, height: 2, width: 4, channels: 1 }, 1, 8);
    assert.equal(line, `  ${ESCAPE}[38;5;231;48;5;231m▀▀▀▀${ESCAPE}[0m`);
  });

  it('shows what is not a number as that, and colours as colours', () => {
    const bad = { values: Float32Array.of(Number.NaN, 0), count: 1, height: 2, width: 1, channels: 1 };
    assert.deepEqual(imageLines(bad, 1, 1), ['  ?']);
    assert.equal(imageLines(bad, 1, 24)[0], `  ${ESCAPE}[38;2;255;0;255;48;2;0;0;0m▀${ESCAPE}[0m`);
    const red = { values: Float32Array.of(1, 0, 0, 0, 0, 1), count: 1, height: 2, width: 1, channels: 3 };
    assert.equal(imageLines(red, 1, 8)[0], `  ${ESCAPE}[38;5;196;48;5;21m▀${ESCAPE}[0m`);
    assert.equal(imageLines(red, 1, 24)[0], `  ${ESCAPE}[38;2;255;0;0;48;2;0;0;255m▀${ESCAPE}[0m`);
  });
});

describe('a preview', () => {
  const mnist = (count: number) => ({
    title: 'above, below',
    height: 28,
    width: 28,
    channels: 1,
    above: new Float32Array(count * 784).fill(1),
    below: new Float32Array(count * 784),
  });

  it('has as many images as fit, at half their size, one row above the other', () => {
    for (const [width, count] of [
      [60, 3],
      [80, 5],
      [120, 7],
      [200, 8],
    ] as const) {
      const lines = previewLines(mnist(8), { width, depth: 1 });
      assert.equal(lines.length, 1 + 7 + 7);
      assert.equal(lines[0], '  above, below');
      assert.equal(lines[1], `  ${Array(count).fill('█'.repeat(14)).join(' ')}`);
      assert.equal(lines[8], '');
      for (const line of previewLines(mnist(8), { width, depth: 24 }))
        assert.ok(visibleLength(line) <= width);
    }
    assert.equal(
      previewLines(mnist(2), { width: 200, depth: 1 })[1],
      `  ${'█'.repeat(14)} ${'█'.repeat(14)}`,
    );
    assert.deepEqual(previewLines(mnist(2), { width: 10, depth: 1 }), []);
  });

  it('shows means of squares of pixels, also at an edge that is no whole square', () => {
    // 15 × 15 pixels, white but for the last column and the last row: 8 × 8 squares, the last ones of one
    // pixel.
    const above = Float32Array.from({ length: 225 }, (_, i) => (i % 15 === 14 || i >= 210 ? 0 : 1));
    const rows = { title: '', height: 15, width: 15, channels: 1, above, below: above };
    const lines = previewLines(rows, { width: 80, depth: 1 });
    assert.deepEqual(lines.slice(1, 5), [...Array(3).fill(`  ${'█'.repeat(7)}`), `  ${'▒'.repeat(7)}`]);
  });
});
